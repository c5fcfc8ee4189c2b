#include "core/blob_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace trackcore {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double least_around = 2.0, around_radii = 0.4;  // of background that a fit sees [px]

class Fitter {
  public:
    Fitter(const ImageView& image, double noise, double most_radius)
        : image_(image), options_{noise, 0.5, 1.5 * most_radius, 0.0, true} {
        const double reach = most_radius * (1 + around_radii) + least_around + 2;
        side_ = 2 * static_cast<int>(std::ceil(reach)) + 1;
        stride_ = (side_ + simd::fit_lanes - 1) / simd::fit_lanes * simd::fit_lanes;
        now_.assign(static_cast<std::size_t>(stride_) * side_, 0.0f);
        base_.assign(now_.size(), 0.0f);
        outside_.reserve(now_.size());
    }

    BlobFit operator()(const BlobStart& start) {
        BlobFit out{start.xy_px, start.radius, start.contrast,  nan,
                    nan,         nan,          {nan, nan, nan}, false};
        const double reach = start.radius + std::max(least_around, around_radii * start.radius);
        const int x0 = std::max(static_cast<int>(std::floor(start.xy_px.x - reach)), 0);
        const int y0 = std::max(static_cast<int>(std::floor(start.xy_px.y - reach)), 0);
        const int x1 =
            std::min(static_cast<int>(std::ceil(start.xy_px.x + reach)) + 1, image_.width);
        const int y1 =
            std::min(static_cast<int>(std::ceil(start.xy_px.y + reach)) + 1, image_.height);
        if (x1 - x0 < 3 || y1 - y0 < 3 || x1 - x0 > side_ || y1 - y0 > side_) return out;
        const float level = surroundings(start, x0, y0, x1, y1);
        for (int y = y0; y < y1; ++y) {
            const std::ptrdiff_t row = (y - y0) * stride_;
            std::copy(image_.row<float>(y) + x0, image_.row<float>(y) + x1, now_.begin() + row);
            std::fill_n(base_.begin() + row, x1 - x0, level);
        }
        const simd::FitWindow window{now_.data(), base_.data(), stride_, x1 - x0, y1 - y0};
        const simd::BallShape shape{level + static_cast<float>(start.contrast),
                                    0.0f,
                                    static_cast<float>(start.xy_px.x - x0),
                                    static_cast<float>(start.xy_px.y - y0),
                                    static_cast<float>(start.radius),
                                    1.0f,
                                    0.0f,
                                    1.0f,
                                    0.0f};
        const DiscFit fit = fit_disc(window, shape, options_);
        if (!fit.ok) return out;
        out.xy_px = {static_cast<double>(fit.shape.x) + x0, static_cast<double>(fit.shape.y) + y0};
        out.radius = static_cast<double>(fit.shape.radius);
        const float behind = level + fit.shape.offset;
        out.contrast = static_cast<double>(fit.shape.level - behind);
        out.confidence = fit.explained;
        std::copy_n(fit.covariance, 3, out.covariance);
        profile(window, fit.shape, behind, out);
        out.ok = true;
        return out;
    }

  private:
    /// Median of what lies beyond the blob.
    float surroundings(const BlobStart& start, int x0, int y0, int x1, int y1) {
        outside_.clear();
        const double far = start.radius + 0.5;
        for (int y = y0; y < y1; ++y)
            for (int x = x0; x < x1; ++x)
                if (std::hypot(x - start.xy_px.x, y - start.xy_px.y) > far)
                    outside_.push_back(image_.row<float>(y)[x]);
        if (outside_.empty()) return image_.row<float>(y0)[x0];
        const auto middle = outside_.begin() + static_cast<std::ptrdiff_t>(outside_.size() / 2);
        std::nth_element(outside_.begin(), middle, outside_.end());
        return *middle;
    }

    static void profile(const simd::FitWindow& window, const simd::BallShape& shape, float behind,
                        BlobFit& out) {
        double sum[2] = {}, n[2] = {};
        for (int y = 0; y < window.height; ++y)
            for (int x = 0; x < window.width; ++x) {
                const float dx = static_cast<float>(x) - shape.x;
                const float dy = static_cast<float>(y) - shape.y;
                const float share = std::sqrt(dx * dx + dy * dy) / shape.radius;
                if (share > 1.0f) continue;
                const int part = share > 0.5f;
                sum[part] += static_cast<double>(window.now[y * window.stride + x] - behind);
                n[part] += 1;
            }
        out.inner = n[0] > 0 ? sum[0] / n[0] : nan;
        out.outer = n[1] > 0 ? sum[1] / n[1] : nan;
    }

    const ImageView& image_;
    DiscFitOptions options_;
    int side_ = 0;
    std::ptrdiff_t stride_ = 0;
    std::vector<float> now_, base_, outside_;
};

}  // namespace

void fit_blobs(const ImageView& image, std::span<const BlobStart> starts, double noise,
               double most_radius, std::span<BlobFit> out) {
    Fitter fitter(image, noise, most_radius);
    for (std::size_t i = 0; i < starts.size(); ++i) out[i] = fitter(starts[i]);
}

}  // namespace trackcore
