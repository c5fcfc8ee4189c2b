// Kernels of region alignment: an image at half-pixel spacing, sampled anywhere, compared with a
// template.
//
// Templates are lists of pixels, not rows: `n` pixels, padded with zeros to `padded_pixels(n)`.
// Positions (u, v) of pixels come in lists of the same length, -1 .. 1 across the pattern.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

inline constexpr int pixel_block = 16;  ///< lists are padded to a multiple of this
inline constexpr int list_slack = 32;   ///< samples that `make_list` may write past a list's end
constexpr int padded_pixels(int n) { return (n + pixel_block - 1) / pixel_block * pixel_block; }

// Taps of the half-pixel filter: so many samples before the first pixel and after the last.
inline constexpr int taps_before = 3, taps_after = 4;
inline constexpr int column_room = 32;  ///< widths are rounded up to this by `halve_spacing`

/// An image between whole pixels: each element holds a sample and the one below it, so that eight
/// bytes hold the four samples around a position.
struct SampleGrid {
    const std::int32_t* data;
    int stride;
};

/// Sums of values I with template values T and Jacobian columns, as `correlate` leaves them: up to
/// 8 columns (gx, gy, u gx, v gx, u gy, v gy, u (u gx + v gy), v (u gx + v gy)), then these.
struct RegionSums {
    float j[8];
    float i, i_t, i_i;
};

struct RegionKernels {
    /// The inner side x side samples of a (side + 4)^2 patch as a list, less `base`, and their
    /// derivatives in samples per pixel.
    void (*make_list)(const std::int16_t* patch, std::ptrdiff_t stride, int side, int base,
                      std::int16_t* t, std::int16_t* gx, std::int16_t* gy);

    /// The list's values and its 8 Jacobian columns as floats, each `columns_stride` after the
    /// other.
    void (*make_columns)(const std::int16_t* t, const std::int16_t* gx, const std::int16_t* gy,
                         const float* u, const float* v, int n, std::ptrdiff_t columns_stride,
                         float* columns);

    /// Samples at half-pixel spacing: element (2 x, 2 y) of the grid starts with sample (x, y) of
    /// the patch. The grid has 2 (height - 1) rows; all rows need room for `width` rounded up.
    /// `taps`: the first half of the filter, times 2^15. `scratch` is as large as the patch.
    void (*halve_spacing)(const std::int16_t* patch, std::ptrdiff_t stride, int width, int height,
                          const std::int16_t taps[4], std::int16_t* scratch, std::int32_t* grid,
                          std::ptrdiff_t grid_stride);
    /// The same at the patch's own spacing: (height - 1) rows of `width`.
    void (*keep_spacing)(const std::int16_t* patch, std::ptrdiff_t stride, int width, int height,
                         std::int32_t* grid, std::ptrdiff_t grid_stride);

    /// values[k] = sample at (m0 u + m1 v + m2, m3 u + m4 v + m5) of the grid, less `base`,
    /// bilinear; positions must lie inside. The second divides by m6 u + m7 v + m8.
    void (*sample_affine)(const SampleGrid& grid, const float m[9], const float* u, const float* v,
                          int n, float base, float* values);
    void (*sample_perspective)(const SampleGrid& grid, const float m[9], const float* u,
                               const float* v, int n, float base, float* values);

    /// Fills the sums for the first 2, 6 or 8 columns of the Jacobian.
    using Correlate = void(const float* values, const std::int16_t* t, const std::int16_t* gx,
                           const std::int16_t* gy, const float* u, const float* v, int n,
                           RegionSums* sums);
    Correlate *correlate_2, *correlate_6, *correlate_8;
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(RegionKernels, region_kernels)
