// Kernels of the frame statistics: one row of pixels at a time, sums kept by column.
#pragma once

#include <cstdint>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

/// Each adds a row, or what it makes of three, to sums by column. The first and the last of the n
/// columns have no neighbour: what needs them leaves those two out.
template <class Sum>
struct RowKernels {
    /// I and I^2.
    void (*moments)(const float* row, int n, Sum* level, Sum* squared);
    /// |N|, N the 3 x 3 mask [1 -2 1]^T [1 -2 1]. `scratch` holds n floats.
    void (*rough)(const float* above, const float* here, const float* below, int n, float* scratch,
                  Sum* rough);
    /// (I(x + 1) - I(x - 1))^2, (I(y + 1) - I(y - 1))^2, and 1 where both together exceed `edge`.
    void (*slopes)(const float* above, const float* here, const float* below, int n, float edge,
                   Sum* across, Sum* down, Sum* edges);
};

struct FrameStatsKernels {
    void (*widen_u8)(const std::uint8_t* src, int n, float* dst);
    void (*widen_u16)(const std::uint16_t* src, int n, float* dst);
    RowKernels<float> narrow;  ///< exact for the whole numbers of 8-bit rows, some at a time
    RowKernels<double> wide;
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(FrameStatsKernels, frame_stats_kernels)
