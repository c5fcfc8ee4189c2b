// Kernels of the disc and streak fit: the normal equations of one Gauss-Newton step.
//
// The model of a pixel is  base + offset + S (level - base - offset):  an opaque ball of one grey
// level before a known background, S the share of the pixel's light that comes from the ball.
// Floats whose sums are made in an order that depends on the CPU level.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

inline constexpr int fit_lanes = 16;  ///< windows are padded to a multiple of this

/// A ball as it is supposed to be; x, y in window pixels.
struct BallShape {
    float level;   ///< its grey level
    float offset;  ///< of the background's level
    float x, y;    ///< centre, at mid-exposure
    float radius;
    float soft;              ///< half the width of its edge [px]
    float half;              ///< half the way of its centre during the exposure [px]
    float along_x, along_y;  ///< unit vector of that way
};

/// Parameters in the order of the sums. A disc has the first six.
enum FitParameter : int {
    fit_level,
    fit_x,
    fit_y,
    fit_radius,
    fit_soft,
    fit_offset,
    fit_half,
    fit_turn,
    fit_parameters
};
inline constexpr int disc_parameters = fit_half;

/// Rows of `now` and `base` lie `stride` floats apart and are padded to whole lanes.
struct FitWindow {
    const float* now;
    const float* base;
    std::ptrdiff_t stride;
    int width, height;
};

/// J^T J (upper triangle, row by row), J^T e and e^T e for n parameters, in that order.
constexpr int fit_sums(int n) { return n * (n + 1) / 2 + n + 1; }

struct DiscKernels {
    /// Edge profile 1/2 + 3/4 t - 1/4 t^3, t = (radius - distance) / soft cut to -1 .. 1. Sums of
    /// the parameters before the offset.
    void (*disc)(const FitWindow& window, const BallShape& shape, float* sums);
    /// The same with the offset.
    void (*disc_and_offset)(const FitWindow& window, const BallShape& shape, float* sums);
    /// The time average of that disc on its way; the chord across the way has a blurred length.
    void (*streak)(const FitWindow& window, const BallShape& shape, float* sums);
    /// The same by the mean of the disc itself, its edge that of square pixels, at so many moments:
    /// slower, and right where the chord is too simple.
    void (*streak_by_moments)(const FitWindow& window, const BallShape& shape, int moments,
                              float* sums);
    /// The same bits at every level: base and image as floats.
    void (*widen)(const std::uint8_t* now, const std::uint8_t* high, const std::uint8_t* low, int n,
                  float* now_out, float* base_out);
    /// Sum of (image - base)^2: what there is to explain.
    float (*energy)(const FitWindow& window);
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(DiscKernels, disc_kernels)
