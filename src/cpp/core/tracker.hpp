// Tracker: frames in, tracks out; one object per clip.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/detect.hpp"
#include "core/pyramid.hpp"
#include "core/region.hpp"
#include "core/track_points.hpp"

namespace trackcore {

/// What a patch is compared with.
enum class Anchor : std::uint8_t { previous = 0, keyframe = 1, hybrid = 2 };

/// Meanings, units and defaults: `trackcore.TrackerOptions`.
struct TrackerOptions {
    PointOptions points;
    FeatureOptions features;  ///< max_features is the number of tracks to keep alive
    MotionModel model;
    Anchor anchor;
    bool replenish;
};

/// One track in one frame.
struct TrackSample {
    std::int64_t track;  ///< index of the track, from 0 in order of birth; never used twice
    Vec2 xy_px;          ///< NaN unless tracked
    float ncc;           ///< with the anchor; 1 in the frame a track starts, NaN unless tracked
    PointStatus status;
};

/// Follows points through a clip, replacing those it loses.
///
/// Each frame, each track: translation from the previous frame by pyramid, then, unless the anchor
/// is the previous frame, alignment with the track's keyframe by the motion model, starting from
/// there. `hybrid` keeps the keyframe's answer while the two agree; when they no longer do, the
/// last good frame becomes the keyframe, and the first one is taken up again as soon as the patch
/// looks like it once more, so that errors do not add up.
/// Source: Matthews, Ishikawa & Baker 2004, "The template update problem" (strategy 3).
///
/// Not for two threads at once. The result does not depend on `threads`.
class Tracker {
  public:
    explicit Tracker(const TrackerOptions& options);

    /// Tracks into the next frame. `mask`: where new tracks may start; null: anywhere. `weights`:
    /// how many of them, where; null: alike.
    void push(std::shared_ptr<const FramePyramid> frame, const MaskView* mask,
              const WeightView* weights, int threads);

    /// Goes on with other options. Live tracks are followed with them from the next frame on, but
    /// keep the keyframes they were cut with until these are renewed.
    void configure(const TrackerOptions& options);

    /// The next frame begins another shot: every live track is `lost` there, and features are
    /// detected anew, whatever `replenish` says.
    void drop_all();

    /// Everything but the last frame's pixels and the options, for `restore` of this build.
    std::string snapshot() const;

    /// Takes up a snapshot, with the pixels of the frame it was made after.
    /// @return false where `state` is none of this build; the tracker is then as it was
    bool restore(std::string_view state, std::shared_ptr<const FramePyramid> frame);

    /// Starts tracks at these points of the last frame; returns the index of the first.
    /// A point without texture, or outside, becomes a track that is lost at once.
    std::int64_t add(std::span<const Vec2> xy_px);

    /// Every track that was alive when the last frame came, or was born in it.
    std::span<const TrackSample> state() const;

    std::int64_t n_tracks() const { return n_tracks_; }
    std::size_t n_frames() const { return history_.size(); }
    std::span<const TrackSample> frame(std::size_t index) const { return history_[index]; }

  private:
    struct Track;
    void replenish(const MaskView* mask, const WeightView* weights, int threads);
    void start(Vec2 xy_px);

    TrackerOptions options_;
    std::shared_ptr<const FramePyramid> previous_;
    std::vector<std::shared_ptr<Track>> alive_;
    std::vector<std::vector<TrackSample>> history_;
    std::int64_t n_tracks_ = 0;
    std::size_t next_detection_ = 0;
    bool dropping_ = false;
};

}  // namespace trackcore
