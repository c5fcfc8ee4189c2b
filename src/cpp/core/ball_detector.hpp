// BallDetector: the balls that move through a fixed camera's frames.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ball_background.hpp"
#include "core/ball_measure.hpp"
#include "core/blob_runs.hpp"
#include "core/disc_fit.hpp"
#include "core/pyramid.hpp"
#include "core/types.hpp"

namespace trackcore {

enum class BallPolarity : std::uint8_t { any = 0, bright = 1, dark = 2 };

/// Why a blob is no ball. Same values as `trackcore.BallRule`.
enum class BallRule : std::uint8_t {
    accepted = 0,
    too_small = 1,
    too_large = 2,
    too_faint = 3,
    still = 4,
    hole = 5,
    not_round = 6,
    poor_fit = 7,
    outside_lane = 8,
    outside_window = 9,
    duplicate = 10,
    too_many = 11,
};

/// Meanings, units and defaults: `trackcore.BallOptions`.
struct BallOptions {
    BallBackground::Options background;
    BallPolarity polarity;
    double min_radius, max_radius, max_streak;
    double min_snr, min_motion, min_circularity, min_confidence;
    int merge_gap, lane_margin;
    int max_candidates, max_runs, max_fit_pixels;
    bool refine, keep_rejected;
};

struct BallCandidate {
    Vec2 xy_px;
    double radius, area, contrast, circularity, elongation;
    Vec2 streak;  ///< way of the centre during the exposure [px]; its sign is not known
    double score, confidence;
    double covariance[3];  ///< xx, xy, yy [px^2]
    BallRule rule;
    bool refined;
};

/// Finds moving balls. A blob is what differs from the background; it is a ball if it has also
/// changed since the last frame, has an outline of its own and is explained by a disc or a streak.
/// So there is no ghost where the ball was, and no bias towards it.
///
/// Not for two threads at once. After the second frame no memory is allocated.
class BallDetector {
  public:
    explicit BallDetector(const BallOptions& options, std::span<const Vec2> lane);

    /// Finds the balls of the next frame. All frames have one size, or it starts anew.
    /// @param window  search only here; null: everywhere
    void process(const SourceImage& frame, const PixelBox* window);

    /// Strongest first, the accepted before the rejected.
    std::span<const BallCandidate> candidates() const { return candidates_; }
    /// The frame had more foreground than the caps allow: what was found is not all, or nothing.
    bool overloaded() const { return overloaded_; }
    BallBackground& background() { return scene_; }
    /// Forgets the background.
    void reset() { scene_.reset(0, 0, options_.background); }
    std::size_t capacity() const;

  private:
    struct Blob {
        BlobSums sums;
        double score;
        std::int32_t index;
        BallRule rule;
        std::int8_t hole_sign;  ///< +1 / -1: runs above / below the background are a hole
    };

    void resize(int width, int height);
    void find(const SourceImage& frame, const PixelBox* window);
    PixelBox area(const PixelBox* window) const;
    void read_row(const SourceImage& frame, int y, int begin, int end);
    void read_rows(const SourceImage& frame, const PixelBox& box, bool compare);
    void judge();
    Blob measure(std::int32_t index);
    BallRule rule_of(const Blob& blob) const;
    void update_background(const Blob& blob);
    BallCandidate locate(const Blob& blob);
    bool fit(const Blob& blob, const BlobEllipse& ellipse, BallCandidate& out);
    void fill_window(const Blob& blob, const PixelBox& box);
    void finish_candidates(const PixelBox* window);
    bool in_lane(Vec2 xy_px) const;
    void after_overload();

    BallOptions options_;
    std::vector<Vec2> lane_;
    std::vector<PixelBox> row_span_;  ///< columns of each row that the lane and its margin cover
    BallBackground scene_;
    BlobRuns runs_;
    std::vector<std::uint64_t> over_, under_;
    std::vector<Blob> blobs_;
    std::vector<BallCandidate> candidates_;
    std::vector<float> window_now_, window_base_;
    std::vector<std::uint8_t> gathered_;
    std::ptrdiff_t window_stride_ = 0;
    int window_side_ = 0;
    long fit_pixels_ = 0;
    std::int64_t foreground_ = 0;
    int overloaded_frames_ = 0;
    bool overloaded_ = false;
};

}  // namespace trackcore
