// Exhaustive search in 16-bit and float images: float32 chooses, double precision decides.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "core/zncc_parts.hpp"

namespace trackcore::zncc {
namespace {

// What summation in float32 may lose: windows closer to the best than this are compared exactly.
constexpr float near_best = 1.0f - 1e-3f;
constexpr float highest_lane = 1e9f;  // pattern ranges away: nothing that a pattern can match

/// Grey values as floats: the pattern's mean is 0, its range 1.
struct Scaling {
    double mean = 0.0, scale = 0.0;
    bool usable = false;

    template <class Pixel>
    static Scaling of(const Windows& w) {
        double lo = std::numeric_limits<double>::infinity(), hi = -lo, total = 0.0;
        for (int y = 0; y < w.pattern.height; ++y)
            for (int x = 0; x < w.pattern.width; ++x) {
                const double v = w.pattern.row<Pixel>(y)[x];
                lo = std::min(lo, v), hi = std::max(hi, v), total += v;
            }
        return {total / w.pixels, 1.0 / (hi - lo), std::isfinite(total) && hi > lo};
    }
    template <class Pixel>
    float operator()(Pixel value) const {
        return static_cast<float>((static_cast<double>(value) - mean) * scale);
    }
};

/// Scores of windows that hold a pixel marked in `bad` become `flat_score`.
void skip_windows(const Windows& w, const std::vector<int>& bad, float* scores, int score_stride) {
    const int stride = w.area.width + 1;  // counts of bad pixels above and left
    std::vector<int> count(static_cast<std::size_t>(stride) * (w.area.height + 1));
    for (const int i : bad)
        ++count[static_cast<std::size_t>((i / w.area.width + 1) * stride + i % w.area.width + 1)];
    const auto at = [&](int x, int y) -> int& {
        return count[static_cast<std::size_t>(y * stride + x)];
    };
    for (int y = 1; y <= w.area.height; ++y)
        for (int x = 1; x <= w.area.width; ++x)
            at(x, y) += at(x - 1, y) + at(x, y - 1) - at(x - 1, y - 1);
    for (int y = 0; y < w.ny; ++y)
        for (int x = 0; x < w.nx; ++x) {
            const int right = x + w.pattern.width, below = y + w.pattern.height;
            if (at(right, below) - at(x, below) - at(right, y) + at(x, y) > 0)
                scores[y * score_stride + x] = flat_score;
        }
}

/// The best of the windows whose scores are next to the best score.
template <class Pixel>
PatternHit decide(const Windows& w, const float* scores, int stride) {
    const auto& kernels = simd::zncc_kernels();
    float row_best[max_search], best = flat_score;
    for (int y = 0; y < w.ny; ++y)
        best = std::max(best, row_best[y] = kernels.highest(scores + y * stride, w.nx));
    PatternHit hit;
    if (best <= flat_score) return hit;
    const float enough = best > 0.0f ? best * near_best : best / near_best;
    for (int y = 0; y < w.ny; ++y)
        for (int x = 0; x < w.nx && row_best[y] >= enough; ++x) {
            if (scores[y * stride + x] < enough) continue;
            const double ncc = w.ncc<Pixel>(x, y);
            if (ncc < -1.0 || (hit.found && ncc <= hit.ncc)) continue;
            hit = {x, y, ncc, true};
        }
    return hit;
}

/// The area as lanes. Returns the pixels, if any, that are not numbers or too far away to matter;
/// their lanes are 0.
template <class Pixel>
std::vector<int> scale_area(const Windows& w, const Scaling& scaled, Products<float>& products) {
    const int width = w.area.width;
    std::vector<int> bad;
    for (int y = 0; y < w.area.height; ++y) {
        const Pixel* src = w.area.row<Pixel>(y);
        float* dst = products.area(y);
        int usable = 0;
        for (int x = 0; x < width; ++x) {
            dst[x] = scaled(src[x]);
            usable += std::abs(dst[x]) < highest_lane;
        }
        for (int x = 0; x < width && usable < width; ++x) {
            if (std::abs(dst[x]) < highest_lane) continue;
            bad.push_back(y * width + x);
            dst[x] = 0.0f;
        }
    }
    return bad;
}

}  // namespace

template <class Pixel>
PatternHit find_float(const Windows& w, std::span<float> map) {
    const auto& kernels = simd::zncc_kernels();
    const Scaling scaled = Scaling::of<Pixel>(w);
    if (!scaled.usable) return {};
    Products<float> products(simd::cross_kernels().f32, w);
    PatternSums pattern;
    double squares_sum = 0.0;
    for (int y = 0; y < w.pattern.height; ++y)
        for (int x = 0; x < w.pattern.width; ++x) {
            const float v = scaled(w.pattern.row<Pixel>(y)[x]);
            products.pattern(y)[x] = v;
            pattern.sum += v, squares_sum += static_cast<double>(v) * v;
        }
    pattern.variation = w.pixels * squares_sum - pattern.sum * pattern.sum;
    const std::vector<int> bad = scale_area<Pixel>(w, scaled, products);

    // Sums and, `stride` further on, of squares: of each row's stretches, then of windows.
    thread_local std::vector<double> memory;
    thread_local std::vector<float> score_memory;
    const int stride = padded(w.nx), twice = 2 * stride;
    const int scratch_size = 4 * (w.area.width + 2 * simd::column_slack) + 2 * simd::across_slack;
    double* scratch = room(memory, scratch_size + twice * (w.area.height + 1));
    double *sum = scratch + scratch_size, *across = sum + twice;
    for (int y = 0; y < w.area.height; ++y)
        kernels.add_across(products.area(y), w.pattern.width, w.nx, scratch, across + twice * y,
                           across + twice * y + stride);
    float* scores = room(score_memory, stride * w.ny);
    for (int y = 0; y < w.ny; ++y) {
        const int i = y % products.rows();
        if (i == 0) products.compute(y);
        kernels.add_down(across + twice * y, twice, w.pattern.height, twice, sum);
        kernels.score_f32(products.row(i), sum, sum + stride, w.nx, w.pixels, pattern.sum,
                          scores + y * stride);
    }
    if (!bad.empty()) skip_windows(w, bad, scores, stride);
    if (!map.empty()) fill_map(scores, stride, w.nx, w.ny, pattern.variation, map.data());
    return decide<Pixel>(w, scores, stride);
}

template PatternHit find_float<std::uint16_t>(const Windows&, std::span<float>);
template PatternHit find_float<float>(const Windows&, std::span<float>);

}  // namespace trackcore::zncc
