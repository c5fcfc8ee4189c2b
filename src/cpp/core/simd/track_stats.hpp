// The kernel of the statistics of tracks: one track's samples and its steps from frame to frame.
#pragma once

#include <cstddef>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

inline constexpr std::ptrdiff_t stats_lanes = 4;  ///< numbers of frames are rounded up to this

/// What the numbers of a clip's frames say about the step that ends in each.
struct ClipSteps {
    const double* per_frame;  ///< 1 / the frames it takes; of the first, any number
    const double* middle;     ///< sum of the two frame numbers
    const double* even;       ///< 1 if the two steps before take as long as it, else 0
    double still_px;          ///< shorter than this it has no direction [px/frame]
    double edges_px[4];       ///< see `FlowHistograms::magnitude`
};

/// One track from `begin` to `end`, which are multiples of `stats_lanes`; NaN where it is not seen,
/// also in the three places before `begin`.
struct TrackSamples {
    const double *x, *y;
    const float* ncc;  ///< NaN where unknown
    std::ptrdiff_t begin, end;
    double start;  ///< twice the number of its first frame: times count from there in half frames
};

/// Sums by frame, as `FrameRow` has them.
struct FrameSums {
    double *active, *steps, *x, *y, *speed, *moving, *direction_x, *direction_y;
};

/// Sums over a track's samples and over its steps from one frame to the next.
struct TrackSums {
    double samples, x, y, nccs, ncc;
    double steps, path, speed, speed2, t, t2, ts;
    double windows, third2;  ///< windows of four samples and their third differences, squared
    double faster[4];        ///< how many steps are longer than each edge
    /// How many steps move; move down or straight to the left; to the left; both. Then how many of
    /// each of these are steep.
    double moves[8];
};

struct TrackStatsKernels {
    /// Adds to `frames` and sets `sums`.
    void (*add_track)(const TrackSamples& track, const ClipSteps& clip, const FrameSums& frames,
                      TrackSums& sums);
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(TrackStatsKernels, track_stats_kernels)
