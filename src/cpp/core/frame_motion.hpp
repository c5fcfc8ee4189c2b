// The dominant 2-D motion between pairs of frames, from the tracks that both have.
#pragma once

#include <cstdint>
#include <span>

#include "core/motion_fit.hpp"
#include "core/track_stats.hpp"

namespace trackcore {

/// Array indices of two frames.
struct FramePair {
    std::int64_t from = 0, to = 0;
};

/// One model of one pair, in pixels about the centre: (x, y) - centre of one frame to the other.
struct ModelRow {
    double H[9];
    double rms_px, inliers, sigma_shift_px, sigma_turn;
};

/// What was found for one pair. NaN where too few tracks are in both frames.
struct PairRow {
    double n_common;
    ModelRow similarity, affine, homography;
    double flow_px;         ///< rms length of the displacements, the longest third left out
    double residual_px;     ///< rms distance to the richest model there is, likewise
    double spread_px;       ///< the same with only the largest tenth left out
    double epipolar_share;  ///< see `frame_motion`
};

/// epipolar_share: what a moving camera leaves over after the motion of a plane points, at every
/// track, to or from one point, the epipole (plane and parallax). This is the largest share of the
/// residuals' energy that points to or from any one point: 1 for parallax, about half for noise
/// and for things that move each on its own. The largest tenth is left out; the epipole is the best
/// of one at infinity and of iteratively re-weighted eigenvectors.
/// Source: Irani & Anandan 1996, parallax geometry.
///
/// @param epipoles   whether epipolar_share is wanted; NaN otherwise
/// @param center_px  what scale and rotation are about; also keeps the equations well conditioned
/// @param length_px  a typical distance from it, such as half the frame's diagonal
/// @param out        one row per pair; the same bits whatever `threads`
void frame_motion(const TrackView& tracks, std::span<const FramePair> pairs, Vec2 center_px,
                  double length_px, bool epipoles, int threads, PairRow* out);

}  // namespace trackcore
