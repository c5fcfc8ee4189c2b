// Kernels of the exhaustive pattern search that multiply: many shifts at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

inline constexpr int shift_slack = 64;   ///< lanes that `cross` may read and write past the last
inline constexpr int column_slack = 16;  ///< counts of lanes and columns are rounded up to this

/// Sums of products of a pattern with an area, for all shifts along x and `rows` along y.
///
/// Lane x of an expanded row holds pixels x .. x + taps - 1, so that one instruction multiplies
/// `taps` pixels of the pattern, the same in all lanes, with as many shifts as it has lanes.
template <class Lane>
struct ProductKernels {
    int taps, rows;
    /// Pattern rows hold `groups` lanes; there are 5 or more. out[r * out_stride + x] is the sum
    /// for shift (x, r); the area has rows for all of them.
    void (*cross)(const Lane* area, std::ptrdiff_t area_stride, const Lane* pattern, int groups,
                  int pattern_rows, int shifts, Lane* out, std::ptrdiff_t out_stride);
};

/// The same of 8-bit pixels: pattern values are pixels less 128, sums are exact.
struct PixelKernels {
    ProductKernels<std::int32_t> sums;

    /// One row of the pattern, less 128, as `groups` lanes; adds to its sum and sum of squares.
    void (*pack)(const std::uint8_t* src, int width, int groups, std::int32_t* lanes,
                 std::int32_t* sum, std::int32_t* squares);

    /// Pixels to lanes; reads up to `column_slack` pixels past the last lane's.
    void (*expand)(const std::uint8_t* src, int lanes, std::int32_t* dst);

    /// Sums of `width` neighbouring pixels of one expanded row, and of their squares.
    void (*add_across)(const std::int32_t* area, int width, int shifts, std::int32_t* sum,
                       std::int32_t* squares);
};

struct CrossKernels {
    ProductKernels<float> f32;  ///< one tap: the pixel itself
    PixelKernels pairs;         ///< two taps: 16-bit pixels and pattern values
    PixelKernels quads;         ///< four taps of 8 bits; needs `has_vnni`
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(CrossKernels, cross_kernels)
