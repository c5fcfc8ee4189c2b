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
/// With `brute`, the pattern as it is expected to look is compared with every whole-pixel position
/// in the search area by zero-mean normalised cross-correlation, and alignment starts from the
/// best; else from where it is expected. The search area is `search` pixels square, as in Blender.
///
/// @param guess_px  middle of the search area, one per point, or empty; a NaN pair means: where
///                  guess_warp takes the point
/// @param guess_warp  expected motion, one per point, or empty; where it is not finite, the
///                    pattern is expected not to deform, and without guess_px not to move
/// @param threads   0 = all; the result does not depend on it
void track_regions(const ImageView& prev, const ImageView& next, std::span<const Vec2> xy_px,
                   std::span<const Vec2> guess_px, std::span<const Mat3> guess_warp,
                   const RegionOptions& options, int threads, std::span<RegionMatch> out);

}  // namespace trackcore
