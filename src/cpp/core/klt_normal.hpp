// The 2 x 2 system that point tracking solves, and what noise does to it.
#pragma once

#include "core/simd/klt.hpp"
#include "core/types.hpp"

namespace trackcore {

inline constexpr double per_eighth =
    1.0 / 8.0;  ///< grey levels in a unit of T in the kernels' sums

/// A direction fixes the position if at least this share of its texture is more than noise.
inline constexpr double least_signal = 0.25;

/// The 2 x 2 system of a template, brightness projected out. Grey levels and pixels.
struct KltNormal {
    double xx = 0, xy = 0, yy = 0;  ///< sum of g g^T
    double i_det = 0;               ///< inverse of its determinant, so that no step divides
    double cx[2] = {}, cy[2] = {};  ///< couplings of gx and gy to [1, T]
    double ia = 0, ib = 0, ic = 0;  ///< inverse of the 2 x 2 matrix of [1, T]
    int brightness = 0;             ///< number of brightness parameters

    double min_eigenvalue() const;
    double max_eigenvalue() const;
    Vec2 solve(const simd::StepSums& sums) const;
};

/// The system of a template of n pixels, its brightness parameters eliminated.
KltNormal normal_equations(const simd::GradientSums& gradients, const simd::BrightnessSums& s,
                           double n, Photometric photometric);

/// `m` without what noise of this variance adds to the gradients of n pixels.
KltNormal without_noise(KltNormal m, double variance, double n);

/// Whether less than `least_signal` of the weakest direction of `with` is left in `without`.
bool mostly_noise(const KltNormal& with, const KltNormal& without);

/// Mean variance per axis of the position: noise enters through all gradients, information only
/// through those that are signal. Half the trace of S^-1 G S^-1, times the variance.
double position_variance(const KltNormal& g, const KltNormal& s, double variance);

}  // namespace trackcore
