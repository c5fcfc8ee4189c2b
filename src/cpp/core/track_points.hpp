// Pyramidal point tracking between two frames: translation, sub-pixel, any number of points.
#pragma once

#include <span>

#include "core/pyramid.hpp"
#include "core/types.hpp"

namespace trackcore {

/// Meanings, units and defaults: `trackcore.TrackOptions`.
struct PointOptions {
    int window;
    int levels;
    int max_iterations;
    double epsilon_px;
    Photometric photometric;
    bool precise;
    bool forward_backward;
    double min_ncc;
    double max_fb_px;
    double max_sigma_px;
};

/// Where one point went. Everything but the status is NaN unless it was tracked.
struct PointMatch {
    Vec2 xy_px;
    float ncc;
    float residual;
    float sigma_px;
    float fb_px;
    PointStatus status;
};

PointMatch lost_point(PointStatus why);

/// Follows each point of `prev` into `next`.
///
/// Inverse compositional Lucas-Kanade from the coarsest level down. The window is cut at whole
/// pixels nearest to the point, so that only the next image is interpolated and the gradients are
/// those of the template; brightness parameters are projected out of the 2 x 2 system. Bilinear
/// interpolation, or with `precise` a final 8-tap Kaiser-windowed sinc at full resolution.
/// Sources: Baker & Matthews 2004, "Lucas-Kanade 20 Years On"; Bouguet 2001 (pyramid).
///
/// @param guess_px  where to start looking, one per point, or empty: start where the point was;
///                  a NaN pair means the same for that point
/// @param threads   0 = all; the result does not depend on it
void track_points(const FramePyramid& prev, const FramePyramid& next, std::span<const Vec2> xy_px,
                  std::span<const Vec2> guess_px, const PointOptions& options, int threads,
                  std::span<PointMatch> out);

/// The same for one point, on the calling thread.
PointMatch track_point(const FramePyramid& prev, const FramePyramid& next, Vec2 xy_px,
                       Vec2 guess_px, const PointOptions& options);

}  // namespace trackcore
