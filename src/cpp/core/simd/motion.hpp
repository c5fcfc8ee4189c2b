// Kernels of the robust motion fits: sums of products over matched points, and distances.
#pragma once

#include <cstddef>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

inline constexpr std::ptrdiff_t motion_lanes = 4;  ///< counts of points are rounded up to this

/// Matched points (x, y) -> (u, v) with weights: `n` of each, a multiple of `motion_lanes`. Those
/// that only fill up have weight 0.
struct WeightedPoints {
    const double *x, *y, *u, *v, *weight;
    std::ptrdiff_t n;
};

struct MotionKernels {
    /// Weighted sums of 1, x, y, xx, xy, yy, u, ux, uy, v, vx, vy.
    void (*affine_sums)(const WeightedPoints& points, double* sums);

    /// With w divided by the square of gx + hy + 1: weighted sums of xx, xy, yy, x, y, 1, the same
    /// six times u, the same times v, and the first five times uu + vv.
    void (*plane_sums)(const WeightedPoints& points, double g, double h, double* sums);

    /// Squared distances of H (x, y) to (u, v), at most 1e300 and never NaN; H is row major, its
    /// last entry 1.
    void (*distances2)(const double* H, const WeightedPoints& points, double* r2);

    /// least / max(r, least)
    void (*absolute_weights)(const double* r2, std::ptrdiff_t n, double least, double* weight);

    /// Tukey's biweight, (1 - r2 / cut2)^2 within the cut.
    void (*tukey_weights)(const double* r2, std::ptrdiff_t n, double cut2, double* weight);

    /// How many of any number of values are less than the limit.
    std::size_t (*count_below)(const double* values, std::size_t n, double limit);
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(MotionKernels, motion_kernels)
