// Kernels of the exhaustive pattern search that turn sums into correlations.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/simd/cross.hpp"
#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

inline constexpr int across_slack = 64;        ///< see `ZnccKernels::add_across`
inline constexpr float flat_score = -3.0e38f;  ///< of a window without any variation

/// Counts are rounded up to `column_slack`: arrays need that much room, and what lies in it is
/// read and written but has no meaning.
struct ZnccKernels {
    /// to[i] = from[i] + add[i] - drop[i]: sums and, some way behind them, sums of squares.
    void (*slide)(const std::int32_t* from, const std::int32_t* add, const std::int32_t* drop,
                  int n, std::int32_t* to);

    /// Sums of `span` neighbouring floats of a row, and of their squares; and sums of `n` such
    /// columns over `n_rows` rows: all from scratch, so that no bright pixel leaves a trace.
    /// Scratch has room for twice 2 (shifts + span + column_slack) + across_slack values.
    void (*add_across)(const float* row, int span, int shifts, double* scratch, double* sum,
                       double* squares);
    void (*add_down)(const double* rows, std::ptrdiff_t stride, int n_rows, int n, double* out);

    /// Which of `rows` rows of windows have a score above `least`, which is not negative: a bit
    /// each. Strides from row to row are those of `cross` and of sums; squares lie `squares_at`
    /// behind sums.
    unsigned (*rows_above)(const std::int32_t* cross, std::ptrdiff_t cross_stride,
                           const std::int32_t* sum, std::ptrdiff_t sum_stride,
                           std::ptrdiff_t squares_at, int rows, int shifts, double pixels,
                           double pattern_sum, double least);

    /// Squared correlation with its sign, times the pattern's variation: exact integers but for
    /// the last operations; `flat_score` where the window is flat and in the slack.
    void (*score)(const std::int32_t* cross, const std::int32_t* sum, const std::int32_t* squares,
                  int shifts, double pixels, double pattern_sum, float* out);
    void (*score_f32)(const float* cross, const double* sum, const double* squares, int shifts,
                      double pixels, double pattern_sum, float* out);

    float (*highest)(const float* values, int n);  ///< needs no room
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(ZnccKernels, zncc_kernels)
