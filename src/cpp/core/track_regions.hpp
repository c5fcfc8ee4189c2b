// Region tracking between two frames: search for a pattern everywhere, then align it.
#pragma once

#include <span>

#include "core/region.hpp"
#include "core/track_points.hpp"
#include "core/types.hpp"

namespace trackcore {

/// Meanings, units and defaults: `trackcore.RegionOptions`.
struct RegionOptions {
    int pattern;
    int search;
    MotionModel model;
    double min_correlation;
    bool normalize;
    bool brute;
    int max_iterations;
    double epsilon_px;
};

/// Where one pattern went and how it deformed: pixel of `prev` -> pixel of `next`.
struct RegionMatch {
    PointMatch point;
    Mat3 warp;
};

/// Follows the pattern around each point of `prev` into `next`.
///
/// With `brute`, every whole-pixel position of the pattern inside the search area is compared by
/// zero-mean normalised cross-correlation, and the best is where alignment starts; else that is
/// the guess. The search area is `search` pixels square and centred on the guess, as in Blender.
///
/// @param guess_px  where to look, one per point, or empty: where the point was; a NaN pair means
///                  the same for that point
/// @param threads   0 = all; the result does not depend on it
void track_regions(const ImageView& prev, const ImageView& next, std::span<const Vec2> xy_px,
                   std::span<const Vec2> guess_px, const RegionOptions& options, int threads,
                   std::span<RegionMatch> out);

}  // namespace trackcore
