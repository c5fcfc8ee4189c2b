// Kernels of the exhaustive pattern search: correlation sums for many shifts at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

inline constexpr int shift_slack = 64;   ///< lanes that `cross` may read and write past the last
inline constexpr int column_slack = 16;  ///< see `ZnccKernels`
inline constexpr int across_slack = 64;
inline constexpr float flat_score = -3.0e38f;  ///< of a window without any variation

/// Sums of products of a pattern with an area, for all shifts along x and `rows` along y.
///
/// Lane x of an expanded row holds pixels x .. x + taps - 1, so that one instruction multiplies
/// `taps` pixels of the pattern, the same in all lanes, with as many shifts as it has lanes.
template <class Lane>
struct CrossKernels {
    int taps, rows;
    /// Pattern rows hold `groups` lanes; rows - 1 rows of zeros lie before the first and after
    /// the last. out[r * out_stride + x] is the sum for shift (x, r).
    void (*cross)(const Lane* area, std::ptrdiff_t area_stride, const Lane* pattern, int groups,
                  int pattern_rows, int shifts, Lane* out, std::ptrdiff_t out_stride);
};

/// The same of 8-bit pixels: pattern values are pixels less 128, sums are exact.
struct PixelKernels {
    CrossKernels<std::int32_t> sums;

    /// One row of the pattern, less 128, as `groups` lanes; adds to its sum and sum of squares.
    void (*pack)(const std::uint8_t* src, int width, int groups, std::int32_t* lanes,
                 std::int32_t* sum, std::int32_t* squares);

    /// Pixels to lanes; reads up to `column_slack` pixels past the last lane's.
    void (*expand)(const std::uint8_t* src, int lanes, std::int32_t* dst);

    /// Sums of `width` neighbouring pixels of one expanded row, and of their squares.
    void (*add_across)(const std::int32_t* area, int width, int shifts, std::int32_t* sum,
                       std::int32_t* squares);
};

/// Counts are rounded up to `column_slack`: arrays need that much room, and what lies in it is
/// read and written but has no meaning.
struct ZnccKernels {
    CrossKernels<float> f32;  ///< one tap: the pixel itself
    PixelKernels pairs;       ///< two taps: 16-bit pixels and pattern values
    PixelKernels quads;       ///< four taps of 8 bits; for CPUs with VNNI, `expand` null elsewhere

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
