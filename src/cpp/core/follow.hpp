// How one track goes from one frame to the next.
#pragma once

#include "core/pyramid.hpp"
#include "core/region.hpp"
#include "core/track_points.hpp"
#include "core/tracker.hpp"

namespace trackcore {

/// What a track remembers: where it is, and the patches it is compared with.
struct Patch {
    Vec2 xy_px;
    Vec2 velocity_px;       ///< from the frame before the last to the last
    RegionTemplate key;     ///< cut at the keyframe
    double renewals = 0.0;  ///< how often it may still be renewed; grows again with time
    Mat3 key_to_now;        ///< keyframe pixel -> pixel of the last frame
    RegionTemplate home;    ///< cut where the track was born; empty while `key` is that
    Mat3 home_to_key;
    bool away = false;  ///< whether `key` is no longer the first keyframe
};

/// Cuts the first keyframe. False where there is nothing to track.
bool start_patch(const FramePyramid& frame, Vec2 xy_px, const TrackerOptions& options,
                 Patch& patch);

/// Moves a patch from `prev` to `next`; its position and status are in the result.
PointMatch follow_patch(const FramePyramid& prev, const FramePyramid& next,
                        const TrackerOptions& options, Patch& patch);

}  // namespace trackcore
