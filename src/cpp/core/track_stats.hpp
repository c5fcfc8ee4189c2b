// What each track and each frame of a clip did, in one pass over the positions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/types.hpp"

namespace trackcore {

/// Positions of many tracks in the frames of one clip, that somebody else owns.
struct TrackView {
    const Vec2* xy_px = nullptr;           ///< track after track, n_frames each; NaN where unseen
    const float* ncc = nullptr;            ///< of the same shape; NaN where unknown
    const std::int64_t* frames = nullptr;  ///< clip frame number of each index, increasing
    std::int64_t n_tracks = 0;
    std::int64_t n_frames = 0;

    const Vec2* track(std::int64_t k) const { return xy_px + k * n_frames; }
};

/// One track. NaN where its samples do not determine a number.
struct TrackRow {
    double first = -1;  ///< array index of the first sample, -1 if there is none
    double last = -1;
    double n_samples = 0;
    Vec2 mean_px;
    double path_px = 0;       ///< sum of the lengths of its steps
    double speed_mean = 0;    ///< over its steps, each divided by the frames it took [px/frame]
    double speed_std = 0;     ///< the same, standard deviation with divisor n
    double jitter_px = 0;     ///< see `track_stats`
    double speed_slope = 0;   ///< of the line fitted to speed over time [px/frame^2]
    double slope_weight = 0;  ///< sum of squared times about their mean: inverse variance of it
    double ncc_mean = 0;
};

/// One frame; a step is a track's way here from the frame before, in px per clip frame.
struct FrameRow {
    double active = 0;
    double steps = 0;
    Vec2 sum;           ///< of steps
    double speed = 0;   ///< sum of their lengths
    double moving = 0;  ///< how many are not shorter than `still_px`
    Vec2 direction;     ///< sum of the unit vectors of those
};

struct FlowHistograms {
    /// Direction of the moving steps, y up: 45 degrees each, from -180 degrees counter-clockwise.
    std::int64_t direction[8] = {};
    /// Length of all steps, between the edges given.
    std::int64_t magnitude[5] = {};
};

/// @param still_px    a step shorter than this has no direction [px/frame]
/// @param edges_px    four increasing lengths that separate the bins of magnitude [px/frame]
/// @param tracks_out  n_tracks rows
/// @param frames_out  n_frames rows
///
/// jitter_px: any four neighbouring samples at equal distances in time have one residual to the
/// parabola through them, their third difference d over sqrt(20). Its rms over both axes is, for
/// noise of standard deviation s px per axis about any smooth motion, s. Windows do not reach over
/// gaps.
///
/// The same bits whatever `threads`: tracks are summed in blocks of fixed size, the blocks in
/// order.
void track_stats(const TrackView& tracks, double still_px, std::span<const double, 4> edges_px,
                 int threads, TrackRow* tracks_out, FrameRow* frames_out,
                 FlowHistograms& histograms);

}  // namespace trackcore
