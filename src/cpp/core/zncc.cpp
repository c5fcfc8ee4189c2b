#include "core/zncc.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/zncc_parts.hpp"

TRACKCORE_DEFINE_KERNELS(CrossKernels, cross_kernels)
TRACKCORE_DEFINE_KERNELS(ZnccKernels, zncc_kernels)

namespace trackcore {
namespace zncc {
namespace {

// Scores differ from exact ones by a few roundings: windows that are closer to the best than this
// are compared exactly.
constexpr float near_best = 1.0f - 2e-6f;

const simd::PixelKernels& pixel_kernels() {
    const auto& kernels = simd::cross_kernels();
    return simd::has_vnni() ? kernels.quads : kernels.pairs;
}

PatternSums pack_pattern(const Windows& w, const simd::PixelKernels& kernels,
                         Products<std::int32_t>& products) {
    std::int32_t sum = 0, squares = 0;
    for (int y = 0; y < w.pattern.height; ++y)
        kernels.pack(w.pattern.row<std::uint8_t>(y), w.pattern.width, products.groups(),
                     products.pattern(y), &sum, &squares);
    const double total = sum;
    return {total, w.pixels * squares - total * total};
}

/// The exhaustive search of an 8-bit image, a few rows of windows at a time.
class IntegerSearch {
  public:
    explicit IntegerSearch(const Windows& w)
        : w_(w),
          products_(pixels_.sums, w),
          stride_(padded(w.nx)),
          pattern_(pack_pattern(w, pixels_, products_)) {}

    PatternHit run(std::span<float> map) {
        PatternHit hit;
        if (!(pattern_.variation > 0.0)) return hit;
        prepare();
        for (int y = 0; y < w_.ny; y += products_.rows()) {
            const int rows = std::min(products_.rows(), w_.ny - y);
            products_.compute(y);
            // What the windows above had, a row more below and their first row less.
            for (int i = 0; i < rows; ++i)
                kernels_.slide(sum(i - 1), across(y + i + w_.pattern.height - 1), across(y + i - 1),
                               2 * stride_, sum(i));
            const unsigned above = map.empty() && best_ > 0.0f ? rows_above(rows) : ~0u;
            for (int i = 0; i < rows; ++i) {
                if (above >> i & 1u) improve(y, i, hit);
                if (!map.empty())
                    fill_map(scores_, stride_, w_.nx, 1, pattern_.variation,
                             map.data() + static_cast<std::ptrdiff_t>(y + i) * w_.nx);
            }
            std::memcpy(sum(-1), sum(rows - 1),
                        sizeof(std::int32_t) * static_cast<std::size_t>(2 * stride_));
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
        std::uint8_t copy[max_search + simd::column_slack + 64] = {};
        for (int y = 0; y < height; ++y) {
            const auto* row = w_.area.row<std::uint8_t>(y);
            if (!w_.area.slack) std::memcpy(copy, row, static_cast<std::size_t>(width));
            pixels_.expand(w_.area.slack ? row : copy, width, products_.area(y));
        }
        // Not in the loop above: reading across what was just written would wait for it.
        for (int y = 0; y < height; ++y)
            pixels_.add_across(products_.area(y), w_.pattern.width, w_.nx, across(y),
                               across(y) + stride_);
        for (int y = 0; y < w_.pattern.height - 1; ++y)
            kernels_.slide(sum(-1), across(y), across(-1), twice, sum(-1));
    }

    unsigned rows_above(int rows) const {
        return kernels_.rows_above(products_.row(0), products_.out_stride(), sum(0), 2 * stride_,
                                   stride_, rows, w_.nx, w_.pixels, pattern_.sum,
                                   static_cast<double>(best_) * near_best);
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

    static float near(float best) { return best > 0.0f ? best * near_best : best / near_best; }

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

}  // namespace
}  // namespace zncc

PatternHit find_pattern(const ImageView& pattern, const ImageView& area, std::span<float> map) {
    const zncc::Windows w(pattern, area);
    std::fill(map.begin(), map.end(), std::numeric_limits<float>::quiet_NaN());
    if (w.nx < 1 || w.ny < 1) return {};
    switch (area.type) {
        case PixelType::u8:
            return zncc::IntegerSearch(w).run(map);
        case PixelType::u16:
            return zncc::find_float<std::uint16_t>(w, map);
        case PixelType::f32:
            return zncc::find_float<float>(w, map);
    }
    return {};
}

}  // namespace trackcore
