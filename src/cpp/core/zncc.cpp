#include "core/zncc.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/simd/zncc.hpp"

TRACKCORE_DEFINE_KERNELS(ZnccKernels, zncc_kernels)

namespace trackcore {
namespace {

using simd::flat_score;
using simd::shift_slack;

// Scores of integer images differ from the exact ones by a few roundings, those of floats by what
// summation loses: windows that are closer to the best than this are compared exactly.
constexpr float near_best_u8 = 1.0f - 2e-6f;
constexpr float near_best_f32 = 1.0f - 1e-3f;
constexpr double highest_lane = 1e9;  // pattern ranges away: nothing that a pattern can match

int padded(int n) { return (n + simd::column_slack - 1) / simd::column_slack * simd::column_slack; }

template <class T>
T* room(std::vector<T>& v, int n) {
    if (v.size() < static_cast<std::size_t>(n)) v.resize(static_cast<std::size_t>(n));
    return v.data();
}

/// A pattern and the windows it is compared with.
struct Windows {
    const ImageView& pattern;
    const ImageView& area;
    int nx, ny;
    double pixels;

    Windows(const ImageView& p, const ImageView& a)
        : pattern(p),
          area(a),
          nx(a.width - p.width + 1),
          ny(a.height - p.height + 1),
          pixels(static_cast<double>(p.width) * p.height) {}

    /// One correlation, from scratch; -2 where there is none.
    template <class Pixel>
    double ncc(int x0, int y0) const {
        // Differences from values that occur: sums stay small, and of integers exact.
        const double t0 = pattern.row<Pixel>(0)[0], i0 = area.row<Pixel>(y0)[x0];
        double st = 0, si = 0, stt = 0, sii = 0, sti = 0;
        for (int y = 0; y < pattern.height; ++y) {
            const Pixel* tp = pattern.row<Pixel>(y);
            const Pixel* ip = area.row<Pixel>(y0 + y) + x0;
            for (int x = 0; x < pattern.width; ++x) {
                const double t = tp[x] - t0, i = ip[x] - i0;
                st += t, si += i, stt += t * t, sii += i * i, sti += t * i;
            }
        }
        const double vt = pixels * stt - st * st, vi = pixels * sii - si * si;
        if (!(vt > 0.0 && vi > 0.0)) return -2.0;
        return std::clamp((pixels * sti - st * si) / (std::sqrt(vt) * std::sqrt(vi)), -1.0, 1.0);
    }
};

/// Scores, signed squares of the ncc times the pattern's variation, to ncc.
void fill_map(const float* scores, int stride, int nx, int ny, double variation, float* map) {
    for (int y = 0; y < ny; ++y)
        for (int x = 0; x < nx; ++x) {
            const double q = scores[y * stride + x];
            const double ncc = std::copysign(std::sqrt(std::abs(q) / variation), q);
            map[y * nx + x] = q <= flat_score ? std::numeric_limits<float>::quiet_NaN()
                                              : static_cast<float>(std::clamp(ncc, -1.0, 1.0));
        }
}

/// Area and pattern as lanes, and the sums of their products.
template <class Lane>
class Products {
  public:
    Products(const simd::CrossKernels<Lane>& kernel, const Windows& w)
        : kernel_(kernel),
          w_(w),
          groups_((w.pattern.width + kernel.taps - 1) / kernel.taps),
          stride_(padded(w.area.width) + shift_slack + kernel.taps),
          out_stride_(padded(w.nx) + shift_slack) {
        const int zero_rows = kernel.rows - 1;
        const int n = groups_ * (w.pattern.height + 2 * zero_rows);
        Memory& m = memory();
        area_ = room(m.area, stride_ * (w.area.height + zero_rows));
        out_ = room(m.out, out_stride_ * kernel.rows);
        pattern_ = room(m.pattern, n);
        std::fill_n(pattern_, n, Lane{});
        pattern_ += zero_rows * groups_;
    }

    Lane* area(int y) { return area_ + y * stride_; }
    Lane* pattern(int y) { return pattern_ + y * groups_; }
    std::ptrdiff_t stride() const { return stride_; }
    int rows() const { return kernel_.rows; }

    /// Sums for `rows()` rows of shifts, the first of which is y0.
    void compute(int y0) {
        kernel_.cross(area(y0), stride_, pattern_, groups_, w_.pattern.height, w_.nx, out_,
                      out_stride_);
    }
    const Lane* row(int i) const { return out_ + i * out_stride_; }

  private:
    struct Memory {
        std::vector<Lane> area, pattern, out;
    };
    static Memory& memory() {
        thread_local Memory m;
        return m;
    }

    const simd::CrossKernels<Lane>& kernel_;
    const Windows& w_;
    int groups_, stride_, out_stride_;
    Lane *area_, *pattern_, *out_;
};

// ---- 8 bits: exact integers ----

struct PatternSums {
    double sum = 0.0, variation = 0.0;  // sum of squared differences from the mean, times pixels
};

/// Pattern values less 128, packed as 8 or 16 bits.
PatternSums pack_pattern(const Windows& w, int taps, Products<std::int32_t>& products) {
    int sum = 0, squares = 0;
    for (int y = 0; y < w.pattern.height; ++y) {
        const std::uint8_t* src = w.pattern.row<std::uint8_t>(y);
        auto* bytes = reinterpret_cast<std::int8_t*>(products.pattern(y));
        auto* words = reinterpret_cast<std::int16_t*>(products.pattern(y));
        for (int x = 0; x < w.pattern.width; ++x) {
            const int value = src[x] - 128;
            sum += value;
            squares += value * value;
        }
        if (taps == 4)
            for (int x = 0; x < w.pattern.width; ++x) bytes[x] = static_cast<std::int8_t>(src[x] - 128);
        else
            for (int x = 0; x < w.pattern.width; ++x) words[x] = static_cast<std::int16_t>(src[x] - 128);
    }
    return {static_cast<double>(sum), w.pixels * squares - static_cast<double>(sum) * sum};
}

const simd::PixelKernels& pixel_kernels() {
    const auto& kernels = simd::zncc_kernels();
    return kernels.quads.expand != nullptr && simd::has_vnni() ? kernels.quads : kernels.pairs;
}

/// The exhaustive search of an 8-bit image, a few rows of windows at a time.
class IntegerSearch {
  public:
    explicit IntegerSearch(const Windows& w)
        : w_(w),
          products_(pixels_.sums, w),
          stride_(padded(w.nx)),
          pattern_(pack_pattern(w, pixels_.sums.taps, products_)) {}

    PatternHit run(std::span<float> map) {
        PatternHit hit;
        if (!(pattern_.variation > 0.0)) return hit;
        prepare();
        for (int y = 0; y < w_.ny; y += products_.rows()) {
            const int rows = std::min(products_.rows(), w_.ny - y);
            products_.compute(y);
            for (int i = 0; i < rows; ++i) {
                // What the window above had, a row more below and its first row less.
                kernels_.slide(sum(i - 1), across(y + i + w_.pattern.height - 1),
                               across(y + i - 1), 2 * stride_, sum(i));
                if (!map.empty() || best_ <= 0.0f || may_improve(i)) improve(y, i, hit);
                if (!map.empty())
                    fill_map(scores_, stride_, w_.nx, 1, pattern_.variation,
                             map.data() + static_cast<std::ptrdiff_t>(y + i) * w_.nx);
            }
            std::memcpy(sum(-1), sum(rows - 1), sizeof(std::int32_t) * static_cast<std::size_t>(2 * stride_));
        }
        return hit;
    }

  private:
    // Sums and, a stride further on, sums of squares: of each row's stretches as wide as the
    // pattern (row -1 is zero), and of the windows in the rows being searched.
    std::int32_t* across(int y) { return across_ + 2 * stride_ * (y + 1); }
    std::int32_t* sum(int i) { return sums_ + 2 * stride_ * (i + 1); }
    const std::int32_t* sum(int i) const { return sums_ + 2 * stride_ * (i + 1); }

    void prepare() {
        thread_local std::vector<std::int32_t> memory;
        thread_local std::vector<float> score_memory;
        const int width = w_.area.width, height = w_.area.height;
        const int twice = 2 * stride_;
        across_ = room(memory, twice * (height + 2 + products_.rows()));
        sums_ = across_ + twice * (height + 1);
        scores_ = room(score_memory, stride_);
        std::fill_n(across_, twice, 0);
        std::fill_n(sums_, twice, 0);
        std::uint8_t padded_row[max_search + 2 * simd::column_slack] = {};
        for (int y = 0; y < height; ++y) {
            std::memcpy(padded_row, w_.area.row<std::uint8_t>(y), static_cast<std::size_t>(width));
            pixels_.expand(padded_row, width, products_.area(y));
        }
        // Not in the loop above: reading across what was just written would wait for it.
        for (int y = 0; y < height; ++y)
            pixels_.add_across(products_.area(y), w_.pattern.width, w_.nx, across(y),
                               across(y) + stride_);
        for (int y = 0; y < w_.pattern.height - 1; ++y)
            kernels_.slide(sum(-1), across(y), across(-1), twice, sum(-1));
    }

    bool may_improve(int i) const {
        return kernels_.any_above(products_.row(i), sum(i), sum(i) + stride_, w_.nx, w_.pixels,
                                  pattern_.sum, static_cast<double>(best_) * near_best_u8);
    }

    /// Takes the best window of row y + i if it is better than all before.
    void improve(int y, int i, PatternHit& hit) {
        kernels_.score(products_.row(i), sum(i), sum(i) + stride_, w_.nx, w_.pixels, pattern_.sum,
                       scores_);
        const float top = kernels_.highest(scores_, w_.nx);
        if (top <= flat_score || top < near(best_)) return;
        best_ = std::max(best_, top);
        for (int x = 0; x < w_.nx; ++x) {
            if (scores_[x] < near(best_)) continue;
            const double ncc = exact(i, x);
            if (!hit.found || ncc > hit.ncc) hit = {x, y + i, ncc, true};
        }
    }

    static float near(float best) { return best > 0.0f ? best * near_best_u8 : best / near_best_u8; }

    double exact(int i, int x) const {
        const double s = sum(i)[x], variation = w_.pixels * sum(i)[x + stride_] - s * s;
        const double covariance = w_.pixels * products_.row(i)[x] - s * pattern_.sum;
        return std::clamp(covariance / std::sqrt(variation) / std::sqrt(pattern_.variation), -1.0,
                          1.0);
    }

    const simd::ZnccKernels& kernels_ = simd::zncc_kernels();
    const simd::PixelKernels& pixels_ = pixel_kernels();
    const Windows& w_;
    Products<std::int32_t> products_;
    const int stride_;
    const PatternSums pattern_;
    std::int32_t *across_ = nullptr, *sums_ = nullptr;
    float* scores_ = nullptr;
    float best_ = flat_score;
};

// ---- 16 bits and floats ----

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
    const auto at = [&](int x, int y) -> int& { return count[static_cast<std::size_t>(y * stride + x)]; };
    for (int y = 1; y <= w.area.height; ++y)
        for (int x = 1; x <= w.area.width; ++x) at(x, y) += at(x - 1, y) + at(x, y - 1) - at(x - 1, y - 1);
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
    const float enough = best > 0.0f ? best * near_best_f32 : best / near_best_f32;
    for (int y = 0; y < w.ny; ++y)
        for (int x = 0; x < w.nx && row_best[y] >= enough; ++x) {
            if (scores[y * stride + x] < enough) continue;
            const double ncc = w.ncc<Pixel>(x, y);
            if (ncc < -1.0 || (hit.found && ncc <= hit.ncc)) continue;
            hit = {x, y, ncc, true};
        }
    return hit;
}

template <class Pixel>
PatternHit find_float(const Windows& w, std::span<float> map) {
    const auto& kernels = simd::zncc_kernels();
    const Scaling scaled = Scaling::of<Pixel>(w);
    if (!scaled.usable) return {};
    Products<float> products(kernels.f32, w);
    PatternSums pattern;
    double squares_sum = 0.0;
    for (int y = 0; y < w.pattern.height; ++y)
        for (int x = 0; x < w.pattern.width; ++x) {
            const float v = scaled(w.pattern.row<Pixel>(y)[x]);
            products.pattern(y)[x] = v;
            pattern.sum += v, squares_sum += static_cast<double>(v) * v;
        }
    pattern.variation = w.pixels * squares_sum - pattern.sum * pattern.sum;

    std::vector<int> bad;
    const int width = w.area.width, span = w.pattern.width;
    for (int y = 0; y < w.area.height; ++y)
        for (int x = 0; x < width; ++x) {
            float v = scaled(w.area.row<Pixel>(y)[x]);
            if (!(std::abs(v) < highest_lane)) {
                bad.push_back(y * width + x);
                v = 0.0f;
            }
            products.area(y)[x] = v;
        }

    thread_local std::vector<double> memory;
    thread_local std::vector<float> score_memory;
    const int wide = padded(width), stride = padded(w.nx);
    double* column_sum = room(memory, 4 * wide);
    double *column_squares = column_sum + wide, *sum = column_squares + wide, *squares = sum + wide;
    float* scores = room(score_memory, stride * w.ny);
    for (int y = 0; y < w.ny; ++y) {
        const int i = y % products.rows();
        if (i == 0) products.compute(y);
        kernels.add_rows(products.area(y), products.stride(), w.pattern.height, width, column_sum,
                         column_squares);
        kernels.add_columns(column_sum, width, span, sum);
        kernels.add_columns(column_squares, width, span, squares);
        kernels.score_f32(products.row(i), sum, squares, w.nx, w.pixels, pattern.sum,
                          scores + y * stride);
    }
    if (!bad.empty()) skip_windows(w, bad, scores, stride);
    if (!map.empty()) fill_map(scores, stride, w.nx, w.ny, pattern.variation, map.data());
    return decide<Pixel>(w, scores, stride);
}

}  // namespace

PatternHit find_pattern(const ImageView& pattern, const ImageView& area, std::span<float> map) {
    const Windows w(pattern, area);
    std::fill(map.begin(), map.end(), std::numeric_limits<float>::quiet_NaN());
    if (w.nx < 1 || w.ny < 1) return {};
    switch (area.type) {
        case PixelType::u8: return IntegerSearch(w).run(map);
        case PixelType::u16: return find_float<std::uint16_t>(w, map);
        case PixelType::f32: return find_float<float>(w, map);
    }
    return {};
}

}  // namespace trackcore
