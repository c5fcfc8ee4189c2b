#include "core/tracker.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/threads.hpp"
#include "core/track.hpp"

namespace trackcore {
namespace {

constexpr int tracks_a_piece = 8;
// Detection runs when this share of the tracks is missing; after it found hardly any, it waits.
constexpr double missing_share = 0.05;
constexpr double worthwhile_share = 0.1;
constexpr std::size_t frames_to_wait = 5;

/// Cells of the frame that have fewer tracks than their share, as a mask of one entry per cell;
/// with a mask of the caller's, at full resolution and only where both allow.
class WantedMask {
  public:
    WantedMask(int width, int height, int columns, int target, std::span<const Vec2> alive,
               const MaskView* mask, const WeightView* weights)
        : columns_(std::max(columns, 1)),
          rows_(std::max(1, (columns_ * height + width / 2) / width)),
          cells_(static_cast<std::size_t>(columns_ * rows_), 0) {
        std::vector<int> count(cells_.size(), 0);
        for (const Vec2 xy : alive) ++count[cell(xy.x, xy.y, width, height)];
        const int share = std::max(1, target / static_cast<int>(cells_.size()));
        for (std::size_t i = 0; i < cells_.size(); ++i)
            cells_[i] = count[i] < part(i, weights, share);
        view_ = {cells_.data(), columns_, columns_, rows_};
        if (mask != nullptr) intersect(width, height, *mask);
    }
    const MaskView& view() const { return view_; }
    bool any() const {
        return std::any_of(cells_.begin(), cells_.end(), [](std::uint8_t v) { return v != 0; });
    }

  private:
    /// Tracks that a cell should have, as the weight at its middle says.
    int part(std::size_t i, const WeightView* weights, int share) const {
        if (weights == nullptr) return share;
        const int column = static_cast<int>(i) % columns_, row = static_cast<int>(i) / columns_;
        const int x = (2 * column + 1) * weights->width / (2 * columns_);
        const int y = (2 * row + 1) * weights->height / (2 * rows_);
        const float weight = weights->data[y * weights->width + x];
        return weight > 0.0f ? std::max(1, static_cast<int>(std::lround(static_cast<float>(share) *
                                                                        weight / weights->mean)))
                             : 0;
    }
    std::size_t cell(double x, double y, int width, int height) const {
        const int cx = std::clamp(static_cast<int>(x * columns_ / width), 0, columns_ - 1);
        const int cy = std::clamp(static_cast<int>(y * rows_ / height), 0, rows_ - 1);
        return static_cast<std::size_t>(cy * columns_ + cx);
    }
    void intersect(int width, int height, const MaskView& mask) {
        pixels_.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
        for (int y = 0; y < height; ++y) {
            const std::uint8_t* row = mask.data + (y * mask.height / height) * mask.stride;
            for (int x = 0; x < width; ++x)
                pixels_[static_cast<std::size_t>(y) * width + x] =
                    row[static_cast<std::int64_t>(x) * mask.width / width] &&
                    cells_[cell(x, y, width, height)];
        }
        view_ = {pixels_.data(), width, width, height};
    }

    int columns_, rows_;
    std::vector<std::uint8_t> cells_, pixels_;
    MaskView view_;
};

TrackSample sample(std::int64_t track, const PointMatch& match) {
    return {track, match.xy_px, match.ncc, match.status};
}

}  // namespace

Tracker::Tracker(const TrackerOptions& options) : options_(options) {}

std::span<const TrackSample> Tracker::state() const {
    return history_.empty() ? std::span<const TrackSample>{} : history_.back();
}

void Tracker::configure(const TrackerOptions& options) {
    options_ = options;
    next_detection_ = 0;
}

void Tracker::drop_all() {
    next_detection_ = 0;
    dropping_ = true;
}

void Tracker::push(std::shared_ptr<const FramePyramid> frame, const MaskView* mask,
                   const WeightView* weights, int threads) {
    std::vector<TrackSample> samples(alive_.size());
    parallel_for(static_cast<int>(alive_.size()), tracks_a_piece, threads, [&](int begin, int end) {
        for (int i = begin; i < end; ++i)
            samples[i] =
                sample(alive_[i]->index,
                       dropping_ ? lost_point(PointStatus::lost)
                                 : follow_patch(*previous_, *frame, options_, alive_[i]->patch));
    });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < alive_.size(); ++i)
        if (samples[i].status == PointStatus::tracked) std::swap(alive_[kept++], alive_[i]);
    alive_.resize(kept);
    history_.push_back(std::move(samples));
    previous_ = std::move(frame);
    if (history_.size() == 1 || options_.replenish || dropping_) replenish(mask, weights, threads);
    dropping_ = false;
}

void Tracker::start(Vec2 xy_px) {
    const auto track = std::make_shared<Track>();
    track->index = n_tracks_++;
    PointMatch match = lost_point(PointStatus::unseen);
    const ImageView& image = previous_->level(0);
    if (finite(xy_px)) {
        if (!inside(xy_px, image)) {
            match.status = PointStatus::out_of_frame;
        } else if (!start_patch(*previous_, xy_px, options_, track->patch)) {
            match.status = PointStatus::low_texture;
        } else {
            match.status = PointStatus::tracked;
            match.xy_px = xy_px;
            match.ncc = 1.0f;
            alive_.push_back(track);
        }
    }
    history_.back().push_back(sample(track->index, match));
}

std::int64_t Tracker::add(std::span<const Vec2> xy_px) {
    const std::int64_t first = n_tracks_;
    for (const Vec2 xy : xy_px) start(xy);
    return first;
}

void Tracker::replenish(const MaskView* mask, const WeightView* weights, int threads) {
    const int target = options_.features.max_features;
    const int missing = target - static_cast<int>(alive_.size());
    if (missing <= 0 || history_.size() < next_detection_ ||
        (history_.size() > 1 && missing < missing_share * target))
        return;
    std::vector<Vec2> alive;
    alive.reserve(alive_.size());
    for (const auto& track : alive_) alive.push_back(track->patch.xy_px);
    const ImageView& image = previous_->level(0);
    const WantedMask wanted(image.width, image.height, options_.features.cells, target, alive, mask,
                            weights);
    if (!wanted.any()) return;

    FeatureOptions features = options_.features;
    features.max_features = missing;
    std::vector<Feature> found;
    detect_features(image, features, alive, &wanted.view(), threads, found, weights);
    const double border = 0.5 * options_.points.window;  // half a patch would be invented
    int started = 0;
    for (const Feature& feature : found) {
        const Vec2 xy = feature.xy_px;
        if (xy.x < border || xy.y < border || xy.x >= image.width - border ||
            xy.y >= image.height - border)
            continue;
        start(xy);
        ++started;
    }
    if (started < worthwhile_share * missing) next_detection_ = history_.size() + frames_to_wait;
}

}  // namespace trackcore
