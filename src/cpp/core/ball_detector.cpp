#include "core/ball_detector.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "core/simd/pyramid.hpp"

namespace trackcore {
namespace {

constexpr int block = simd::ball_block;
constexpr double absorb = 1.0 / 64;        // share of what stands still that becomes background
constexpr int most_measured = 20'000;      // pixels of a blob that are looked at
constexpr double most_foreground = 0.2;    // share of the searched pixels; more is no ball
constexpr std::size_t measured_ahead = 4;  // blobs whose pixels are on their way from the cache
constexpr int patience = 3;                // overloaded frames until the background is given up

bool stronger(const BallCandidate& a, const BallCandidate& b) {
    if ((a.rule == BallRule::accepted) != (b.rule == BallRule::accepted))
        return a.rule == BallRule::accepted;
    if (a.score != b.score) return a.score > b.score;
    return a.xy_px.y != b.xy_px.y ? a.xy_px.y < b.xy_px.y : a.xy_px.x < b.xy_px.x;
}

/// Even-odd rule; a point on the outline may fall on either side.
bool in_polygon(std::span<const Vec2> polygon, Vec2 p) {
    bool inside = false;
    for (std::size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
        const Vec2 a = polygon[i], b = polygon[j];
        if ((a.y > p.y) == (b.y > p.y)) continue;
        if (p.x < a.x + (b.x - a.x) * (p.y - a.y) / (b.y - a.y)) inside = !inside;
    }
    return inside;
}

}  // namespace

BallDetector::BallDetector(const BallOptions& options, std::span<const Vec2> lane)
    : options_(options), lane_(lane.begin(), lane.end()) {}

std::size_t BallDetector::capacity() const {
    return scene_.capacity() + runs_.capacity() + over_.capacity() + under_.capacity() +
           blobs_.capacity() + candidates_.capacity() + window_now_.capacity() +
           window_base_.capacity() + gathered_.capacity() + row_span_.capacity();
}

void BallDetector::resize(int width, int height) {
    scene_.reset(width, height, options_.background);
    runs_.reserve(height, options_.max_runs);
    over_.assign(scene_.blocks(), 0);
    under_.assign(scene_.blocks(), 0);
    blobs_.reserve(options_.max_runs);
    candidates_.reserve(static_cast<std::size_t>(options_.max_candidates) * 5 + 1);
    gathered_.assign(static_cast<std::size_t>(width) * 3, 0);
    const double reach = 2 * options_.max_radius + options_.max_streak + 10;
    window_side_ = static_cast<int>(std::min(reach, double{512}));
    window_stride_ = (window_side_ + simd::fit_lanes - 1) / simd::fit_lanes * simd::fit_lanes;
    const std::size_t room = static_cast<std::size_t>(window_stride_) * window_side_;
    window_now_.assign(room, 0.0f);
    window_base_.assign(room, 0.0f);
    row_span_.assign(height, {0, 0, width, 0});
    if (lane_.empty()) return;
    // Each row covers what the lane covers within the margin above and below it.
    const double margin = options_.lane_margin;
    for (int y = 0; y < height; ++y) {
        double lo = width, hi = 0;
        for (std::size_t i = 0, j = lane_.size() - 1; i < lane_.size(); j = i++) {
            Vec2 a = lane_[i], b = lane_[j];
            if (a.y > b.y) std::swap(a, b);
            if (b.y < y - margin || a.y > y + margin) continue;
            const auto x_at = [&](double at) {
                const double t = b.y > a.y ? std::clamp((at - a.y) / (b.y - a.y), 0.0, 1.0) : 0.0;
                return a.x + t * (b.x - a.x);
            };
            const double first = x_at(y - margin), last = x_at(y + margin);
            const double level = b.y > a.y ? last : b.x;
            lo = std::min({lo, first, level});
            hi = std::max({hi, first, level});
        }
        const int x0 = std::max(static_cast<int>(std::floor(lo - margin)), 0);
        const int x1 = std::min(static_cast<int>(std::ceil(hi + margin)) + 1, width);
        row_span_[y] = {x0, 0, std::max(x0, x1), 0};
    }
}

PixelBox BallDetector::area(const PixelBox* window) const {
    PixelBox box{0, 0, scene_.width(), scene_.height()};
    if (window == nullptr) return box;
    const int margin = options_.lane_margin;
    box.x0 = std::clamp(window->x0 - margin, 0, box.x1);
    box.y0 = std::clamp(window->y0 - margin, 0, box.y1);
    box.x1 = std::clamp(window->x1 + margin, box.x0, box.x1);
    box.y1 = std::clamp(window->y1 + margin, box.y0, box.y1);
    return box;
}

/// Brings blocks [begin, end) of a row into the background's own grey frame.
void BallDetector::read_row(const SourceImage& frame, int y, int begin, int end) {
    const int x0 = begin * block, n = std::min(end * block, scene_.width()) - x0;
    const auto* row = static_cast<const std::uint8_t*>(frame.grey.data) + y * frame.grey.stride;
    const std::uint8_t* src = row + x0 * frame.pixel_stride;
    std::uint8_t* dst = scene_.room(y) + x0;
    if (frame.channels >= 3) {
        if (frame.channel_stride == 1 && frame.pixel_stride == frame.channels)
            return simd::pyramid_kernels().luma_u8(src, frame.channels, frame.bgr, n, dst);
        for (int x = 0; x < n; ++x)
            for (int c = 0; c < 3; ++c)
                gathered_[3 * x + c] = src[x * frame.pixel_stride + c * frame.channel_stride];
        return simd::pyramid_kernels().luma_u8(gathered_.data(), 3, frame.bgr, n, dst);
    }
    if (frame.pixel_stride == 1)
        std::memcpy(dst, src, n);
    else if (frame.pixel_stride == 2)
        simd::ball_kernels().every_second(src, n, dst);
    else
        for (int x = 0; x < n; ++x) dst[x] = src[x * frame.pixel_stride];
}

void BallDetector::read_rows(const SourceImage& frame, const PixelBox& box, bool compare) {
    const auto& kernels = simd::ball_kernels();
    const bool dark = options_.polarity != BallPolarity::bright;
    const bool bright = options_.polarity != BallPolarity::dark;
    std::int64_t searched = 0;
    foreground_ = 0;
    for (int y = box.y0; y < box.y1; ++y) {
        const int x0 = std::max(box.x0, row_span_[y].x0), x1 = std::min(box.x1, row_span_[y].x1);
        if (x0 >= x1) continue;
        const int begin = x0 / block, end = (x1 + block - 1) / block, n = end - begin;
        if (!scene_.borrowed()) read_row(frame, y, begin, end);
        if (!compare) {
            if (scene_.borrowed()) scene_.keep(y, begin, end, nullptr, nullptr);
            continue;
        }
        searched += x1 - x0;
        std::uint64_t *over = over_.data() + begin, *under = under_.data() + begin;
        const int found =
            kernels.compare(scene_.now(y) + begin * block, scene_.high(y) + begin * block,
                            scene_.limits(y) + begin, n, over, under);
        const bool learns = scene_.learns(y);
        foreground_ += found;
        if (scene_.borrowed()) scene_.keep(y, begin, end, over_.data(), under_.data());
        if (learns)
            scene_.learn(y, begin, end, found > 0 ? over_.data() : nullptr, under_.data(), false);
        if (found == 0 || runs_.overflowed()) continue;
        if (!bright) std::fill_n(over, n, 0);
        if (!dark) std::fill_n(under, n, 0);
        runs_.add_row(y, begin * block, over, under, n);
    }
    overloaded_ = compare && (runs_.overflowed() ||
                              static_cast<double>(foreground_) >
                                  most_foreground * static_cast<double>(searched) + 1000);
}

void BallDetector::process(const SourceImage& frame, const PixelBox* window) {
    if (frame.grey.width != scene_.width() || frame.grey.height != scene_.height())
        resize(frame.grey.width, frame.grey.height);
    candidates_.clear();
    blobs_.clear();
    runs_.start(options_.merge_gap);
    fit_pixels_ = 0;
    scene_.next();
    // A gated search reads little; of a whole frame the copy would be half of the memory traffic.
    const bool as_it_is = frame.channels < 3 && frame.pixel_stride == 1 && window == nullptr &&
                          scene_.width() % block == 0;
    if (as_it_is)
        scene_.borrow(static_cast<const std::uint8_t*>(frame.grey.data), frame.grey.stride);
    find(frame, window);
    scene_.release();
}

void BallDetector::find(const SourceImage& frame, const PixelBox* window) {
    const int n_frames = scene_.n_frames();
    if (n_frames == 0) {
        overloaded_ = false;
        read_rows(frame, area(nullptr), false);
        return scene_.start();
    }
    const PixelBox box = area(n_frames == 1 ? nullptr : window);
    if (n_frames == 1) {
        read_rows(frame, box, false);
        scene_.start_noise(row_span_);
    }
    read_rows(frame, box, true);
    if (overloaded_) {
        if (scene_.borrowed()) read_rows(frame, box, false);  // the whole, for the next frame
        overloaded_ = true;
        return after_overload();
    }
    overloaded_frames_ = 0;
    const double least = std::numbers::pi * options_.min_radius * options_.min_radius;
    runs_.finish(static_cast<int>(std::ceil(least)));
    judge();
    finish_candidates(window);
    scene_.finish();
}

/// Too much has changed for a ball. Noise that has grown is measured anew; light that has changed
/// or a camera that has moved leaves no background to keep.
void BallDetector::after_overload() {
    if (++overloaded_frames_ == patience - 1) scene_.start_noise(row_span_);
    scene_.finish();
    if (overloaded_frames_ < patience) return;
    overloaded_frames_ = 0;
    scene_.start();
}

BallDetector::Blob BallDetector::measure(std::int32_t index) {
    const BlobBox& box = runs_.blobs()[index];
    const auto runs = runs_.by_blob().subspan(box.first_run, box.n_runs);
    BlobSums by_sign[2];
    const int step = 1 + box.area / most_measured;
    for (std::size_t i = 0; i < runs.size(); i += step) {
        const BlobRun& run = runs_.runs()[runs[i]];
        add_run(scene_, run, box.x0, box.y0, by_sign[run.over]);
    }
    Blob blob{by_sign[0], 0.0, index, BallRule::accepted, 0};
    const double both = by_sign[0].area + by_sign[1].area;
    // A ball and a hole that touch are told apart by sign.
    for (const int sign : {0, 1}) {
        if (by_sign[sign].area < 4 || by_sign[1 - sign].area < 4) continue;
        if (!is_hole(by_sign[sign]) || is_hole(by_sign[1 - sign])) continue;
        blob.sums = by_sign[1 - sign];
        blob.hole_sign = sign == 1 ? 1 : -1;
    }
    if (blob.hole_sign == 0) blob.sums.add(by_sign[1]);
    blob.sums.area *= box.area / both;  // of the runs left out, where some were
    blob.score = blob.sums.weight / std::sqrt(blob.sums.variance);
    blob.rule = rule_of(blob);
    return blob;
}

BallRule BallDetector::rule_of(const Blob& blob) const {
    const BlobSums& s = blob.sums;
    const double r = options_.max_radius;
    const BlobBox& box = runs_.blobs()[blob.index];
    const double longest = 2 * r + options_.max_streak + 4;
    if (s.area < std::numbers::pi * options_.min_radius * options_.min_radius)
        return BallRule::too_small;
    if (s.area > std::numbers::pi * (r + 1) * (r + 1) + 2 * r * options_.max_streak ||
        box.x1 - box.x0 > longest || box.y1 - box.y0 > longest)
        return BallRule::too_large;
    if (blob.score < options_.min_snr) return BallRule::too_faint;
    if (options_.min_motion > 0 && motion_px(s) < options_.min_motion) return BallRule::still;
    if (blob.hole_sign == 0 && is_hole(s)) return BallRule::hole;
    if (compactness(s) < options_.min_circularity) return BallRule::not_round;
    return BallRule::accepted;
}

/// What is no ball and does not move becomes background: a hole at once, the rest slowly.
void BallDetector::update_background(const Blob& blob) {
    const bool hole = blob.rule == BallRule::hole;
    const bool stands = motion_px(blob.sums) == 0.0 || blob.rule == BallRule::still;
    if (!hole && !stands && blob.hole_sign == 0) return;
    const BlobBox& box = runs_.blobs()[blob.index];
    for (const std::int32_t i : runs_.by_blob().subspan(box.first_run, box.n_runs)) {
        const BlobRun& run = runs_.runs()[i];
        if (hole || blob.hole_sign == (run.over ? 1 : -1))
            scene_.accept(run.y, run.x0 - 2, run.x1 + 2, 1.0);
        else if (stands)
            scene_.accept(run.y, run.x0, run.x1, absorb);
    }
}

void BallDetector::judge() {
    const auto boxes = runs_.blobs();
    for (std::size_t i = 0; i < boxes.size() + measured_ahead; ++i) {
        if (i < boxes.size()) scene_.fetch(boxes[i]);
        if (i >= measured_ahead)
            blobs_.push_back(measure(static_cast<std::int32_t>(i - measured_ahead)));
    }
    for (const BlobRun& run : runs_.runs())
        if (run.blob < 0) scene_.accept(run.y, run.x0, run.x1, absorb);
    std::sort(blobs_.begin(), blobs_.end(), [](const Blob& a, const Blob& b) {
        if ((a.rule == BallRule::accepted) != (b.rule == BallRule::accepted))
            return a.rule == BallRule::accepted;
        return a.score != b.score ? a.score > b.score : a.index < b.index;
    });
    int accepted = 0;
    for (Blob& blob : blobs_) {
        if (blob.rule == BallRule::accepted && ++accepted > options_.max_candidates)
            blob.rule = BallRule::too_many;
        const bool keep = blob.rule == BallRule::accepted || options_.keep_rejected;
        if (keep && candidates_.size() < candidates_.capacity() - 1)
            candidates_.push_back(locate(blob));
    }
    for (const Blob& blob : blobs_) update_background(blob);
}

bool BallDetector::in_lane(Vec2 xy_px) const { return lane_.empty() || in_polygon(lane_, xy_px); }

/// Judges where the balls are, drops double ones and sorts.
void BallDetector::finish_candidates(const PixelBox* window) {
    std::sort(candidates_.begin(), candidates_.end(), stronger);
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
        BallCandidate& ball = candidates_[i];
        if (ball.rule != BallRule::accepted) continue;
        if (ball.refined && ball.confidence < options_.min_confidence)
            ball.rule = BallRule::poor_fit;
        else if (!in_lane(ball.xy_px))
            ball.rule = BallRule::outside_lane;
        else if (window != nullptr &&
                 !(ball.xy_px.x >= window->x0 - 0.5 && ball.xy_px.x < window->x1 - 0.5 &&
                   ball.xy_px.y >= window->y0 - 0.5 && ball.xy_px.y < window->y1 - 0.5))
            ball.rule = BallRule::outside_window;
        for (std::size_t j = 0; j < i && ball.rule == BallRule::accepted; ++j) {
            const BallCandidate& other = candidates_[j];
            if (other.rule != BallRule::accepted) continue;
            const double dx = ball.xy_px.x - other.xy_px.x, dy = ball.xy_px.y - other.xy_px.y;
            const double near = 0.5 * std::max(ball.radius, other.radius);
            if (dx * dx + dy * dy < near * near) ball.rule = BallRule::duplicate;
        }
    }
    if (!options_.keep_rejected)
        std::erase_if(candidates_,
                      [](const BallCandidate& c) { return c.rule != BallRule::accepted; });
    std::sort(candidates_.begin(), candidates_.end(), stronger);
}

}  // namespace trackcore
