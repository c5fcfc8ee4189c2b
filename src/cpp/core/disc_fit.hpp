// Where a ball is, to a small part of a pixel: the disc or streak that explains a window best.
#pragma once

#include "core/simd/disc.hpp"

namespace trackcore {

/// What a fit found. Positions in window pixels.
struct DiscFit {
    simd::BallShape shape;
    double covariance[3];  ///< xx, xy, yy of the centre [px^2]
    double error;          ///< rms of what is left [grey levels]
    double explained;      ///< share of the energy of image - base that the ball accounts for
    long work;             ///< pixels visited, iterations included
    bool ok;               ///< false: did not converge to a ball that the window shows
};

struct DiscFitOptions {
    double noise;         ///< standard deviation of a pixel [grey levels]; a floor for the errors
    double least_radius;  ///< [px]
    double most_radius;
    double most_half;  ///< of half the way [px]
    bool offset;       ///< also fit the level of the background
};

/// Fits a disc, or where `start.half` > 0 a streak, from a start that is about right: within its
/// edge's width or two. Gauss-Newton with damping; all pixels have the same weight.
///
/// @param start  level, centre, radius, half way and direction; `soft` and `offset` are set here
DiscFit fit_disc(const simd::FitWindow& window, const simd::BallShape& start,
                 const DiscFitOptions& options);

}  // namespace trackcore
