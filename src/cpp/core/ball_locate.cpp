// BallDetector: from a blob to a position, by a fit where there is time for one.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/ball_detector.hpp"

namespace trackcore {
namespace {

constexpr double coarse_px = 0.1;  // what cutting a blob off at the threshold may shift it by
constexpr double doubtful = 0.98;  // of the energy; a streak explains more if it is one
constexpr int around = 3;          // pixels of background about a ball that the fit sees
constexpr double least_way = 2.0, least_way_radii = 0.6;  // a shorter streak is fitted as a disc

/// Radius of a disc from its second moments, a quarter of its square on each axis, less a pixel's
/// own: that is right to some hundredths of a pixel, where the area at the threshold is too large
/// by the faint rim.
double radius_of(const BlobEllipse& ellipse) {
    return std::sqrt(std::max(2 * (ellipse.major + ellipse.minor) - 1.0 / 3, 0.0));
}

/// Way of the centre during the exposure, from the blob's length; 0 where it could be a disc.
double way_of(const BlobSums& s, const BlobEllipse& ellipse) {
    const double way = std::sqrt(12 * (ellipse.major - ellipse.minor));
    const double radius = 2 * std::sqrt(ellipse.minor);
    // the noise of a difference of second moments of a disc
    const double noise = std::sqrt(s.variance / 8) * radius * radius / s.weight;
    const bool sure = ellipse.major - ellipse.minor > 5 * noise;
    return sure && way > std::max(least_way, least_way_radii * radius) ? way : 0.0;
}

}  // namespace

/// Copies a part of the frame, with the background in place of other blobs and of holes.
void BallDetector::fill_window(const Blob& blob, const PixelBox& box) {
    const int whole = (box.x1 - box.x0 + simd::fit_lanes - 1) / simd::fit_lanes * simd::fit_lanes;
    const int n = std::min(whole, scene_.width() - box.x0);  // whole lanes where there are pixels
    for (int y = box.y0; y < box.y1; ++y) {
        float* now = window_now_.data() + (y - box.y0) * window_stride_;
        simd::disc_kernels().widen(scene_.now(y) + box.x0, scene_.high(y) + box.x0,
                                   scene_.low(y) + box.x0, n, now,
                                   window_base_.data() + (y - box.y0) * window_stride_);
    }
    for (std::size_t i = 0; i < runs_.blobs().size(); ++i) {
        const BlobBox& other = runs_.blobs()[i];
        const bool self = static_cast<std::int32_t>(i) == blob.index;
        if (self && blob.hole_sign == 0) continue;
        if (other.x0 >= box.x1 || other.x1 <= box.x0 || other.y0 >= box.y1 || other.y1 <= box.y0)
            continue;
        for (const std::int32_t k : runs_.by_blob().subspan(other.first_run, other.n_runs)) {
            const BlobRun& run = runs_.runs()[k];
            if (self && blob.hole_sign != (run.over ? 1 : -1)) continue;
            if (run.y < box.y0 || run.y >= box.y1) continue;
            const std::ptrdiff_t row = (run.y - box.y0) * window_stride_ - box.x0;
            for (int x = std::max(run.x0 - 1, box.x0); x < std::min(run.x1 + 1, box.x1); ++x)
                window_now_[row + x] = window_base_[row + x];
        }
    }
}

bool BallDetector::fit(const Blob& blob, const BlobEllipse& ellipse, BallCandidate& out) {
    const double way = way_of(blob.sums, ellipse);
    double radius = std::max(2 * std::sqrt(ellipse.minor), options_.min_radius);
    const bool streak = way > 0;
    if (!streak) radius = std::max(radius_of(ellipse), options_.min_radius);
    const double half = streak ? way / 2 : 0.0;
    const double reach_x = radius + half * std::abs(ellipse.along_x) + around;
    const double reach_y = radius + half * std::abs(ellipse.along_y) + around;
    const PixelBox box{
        std::max(static_cast<int>(std::floor(ellipse.x - reach_x)), 0),
        std::max(static_cast<int>(std::floor(ellipse.y - reach_y)), 0),
        std::min(static_cast<int>(std::ceil(ellipse.x + reach_x)) + 1, scene_.width()),
        std::min(static_cast<int>(std::ceil(ellipse.y + reach_y)) + 1, scene_.height())};
    const int width = box.x1 - box.x0, height = box.y1 - box.y0;
    if (width > window_side_ || height > window_side_) return false;
    if (fit_pixels_ + 4L * width * height > options_.max_fit_pixels) return false;
    fill_window(blob, box);
    const simd::FitWindow window{window_now_.data(), window_base_.data(), window_stride_, width,
                                 height};
    double base = 0.0;
    for (int y = 0; y < height; ++y)
        base += static_cast<double>(window.base[y * window_stride_ + width / 2]) / height;
    const double contrast = blob.sums.contrast / (std::numbers::pi * radius * radius);
    const simd::BallShape start{static_cast<float>(base + contrast),
                                0.0f,
                                static_cast<float>(ellipse.x - box.x0),
                                static_cast<float>(ellipse.y - box.y0),
                                static_cast<float>(radius),
                                1.0f,
                                static_cast<float>(half),
                                static_cast<float>(ellipse.along_x),
                                static_cast<float>(ellipse.along_y)};
    const double noise = std::sqrt(blob.sums.variance / blob.sums.area + 1.0 / 12);
    const DiscFitOptions wanted{noise, 0.7 * options_.min_radius, options_.max_radius,
                                options_.max_streak / 2, false};
    DiscFit found = fit_disc(window, start, wanted);
    fit_pixels_ += found.work;
    if (streak && (!found.ok || found.explained < doubtful)) {
        // a pattern behind it can make a ball's blob long
        simd::BallShape round = start;
        round.half = 0.0f;
        round.radius = static_cast<float>(std::sqrt(blob.sums.area / std::numbers::pi));
        const DiscFit disc = fit_disc(window, round, wanted);
        fit_pixels_ += disc.work;
        if (disc.ok && (found.ok ? disc.error < found.error : disc.explained > doubtful))
            found = disc;
    }
    if (!found.ok) return false;
    const simd::BallShape& shape = found.shape;
    out.xy_px = {static_cast<double>(shape.x) + box.x0, static_cast<double>(shape.y) + box.y0};
    out.radius = static_cast<double>(shape.radius);
    out.contrast = static_cast<double>(shape.level) - base;
    out.confidence = found.explained;
    std::copy_n(found.covariance, 3, out.covariance);
    if (shape.half > 0.0f) {
        const double turned =
            shape.along_x < 0 || (shape.along_x == 0 && shape.along_y < 0) ? -2 : 2;
        out.streak = {turned * static_cast<double>(shape.half * shape.along_x),
                      turned * static_cast<double>(shape.half * shape.along_y)};
        out.elongation = 1.0 + static_cast<double>(shape.half) / out.radius;
    }
    return true;
}

BallCandidate BallDetector::locate(const Blob& blob) {
    const BlobBox& box = runs_.blobs()[blob.index];
    const BlobSums& s = blob.sums;
    const BlobEllipse ellipse = ellipse_of(s, box.x0, box.y0);
    BallCandidate out{};
    out.rule = blob.rule;
    out.area = s.area;
    out.circularity = compactness(s);
    out.score = blob.score;
    out.xy_px = {ellipse.x, ellipse.y};
    out.radius = std::sqrt(s.area / std::numbers::pi);
    out.contrast = s.contrast / s.area;
    out.elongation = std::sqrt((ellipse.major + 1.0 / 12) / (ellipse.minor + 1.0 / 12));
    out.confidence = out.circularity;
    if (blob.rule == BallRule::accepted && options_.refine) out.refined = fit(blob, ellipse, out);
    if (out.refined) return out;
    // the error of a weighted mean of noisy pixels, and of where it was cut off
    const double per_weight = s.variance / s.area * s.area / (s.weight * s.weight);
    const double cx = ellipse.along_x, cy = ellipse.along_y;
    const double xx = ellipse.major * cx * cx + ellipse.minor * cy * cy;
    const double yy = ellipse.major * cy * cy + ellipse.minor * cx * cx;
    const double xy = (ellipse.major - ellipse.minor) * cx * cy;
    if (const double way = way_of(s, ellipse); way > 0) {
        const double sign = cx < 0 ? -1 : 1;
        out.streak = {sign * way * cx, sign * way * cy};
        out.radius = std::max(2 * std::sqrt(ellipse.minor), 0.5);
    }
    out.covariance[0] = per_weight * xx + coarse_px * coarse_px;
    out.covariance[1] = per_weight * xy;
    out.covariance[2] = per_weight * yy + coarse_px * coarse_px;
    return out;
}

}  // namespace trackcore
