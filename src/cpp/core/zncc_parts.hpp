// What the searches of zncc.hpp share; for the files that implement it only.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "core/simd/zncc.hpp"
#include "core/types.hpp"
#include "core/zncc.hpp"

namespace trackcore::zncc {

using simd::flat_score;
using simd::shift_slack;

inline int padded(int n) {
    return (n + simd::column_slack - 1) / simd::column_slack * simd::column_slack;
}

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
inline void fill_map(const float* scores, int stride, int nx, int ny, double variation,
                     float* map) {
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
    Products(const simd::ProductKernels<Lane>& kernel, const Windows& w)
        : kernel_(kernel),
          w_(w),
          groups_((w.pattern.width + kernel.taps - 1) / kernel.taps),
          stride_(padded(w.area.width) + shift_slack + kernel.taps),
          out_stride_(padded(w.nx) + shift_slack) {
        const int n = groups_ * w.pattern.height;
        Memory& m = memory();
        area_ = room(m.area, stride_ * (w.area.height + kernel.rows - 1));
        out_ = room(m.out, out_stride_ * kernel.rows);
        pattern_ = room(m.pattern, n);
        std::fill_n(pattern_, n, Lane{});
    }

    Lane* area(int y) { return area_ + y * stride_; }
    Lane* pattern(int y) { return pattern_ + y * groups_; }
    std::ptrdiff_t stride() const { return stride_; }
    std::ptrdiff_t out_stride() const { return out_stride_; }
    int groups() const { return groups_; }
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

    const simd::ProductKernels<Lane>& kernel_;
    const Windows& w_;
    int groups_, stride_, out_stride_;
    Lane *area_, *pattern_, *out_;
};

struct PatternSums {
    double sum = 0.0, variation = 0.0;  // sum of squared differences from the mean, times pixels
};

/// The search of 16-bit and float images.
template <class Pixel>
PatternHit find_float(const Windows& w, std::span<float> map);
extern template PatternHit find_float<std::uint16_t>(const Windows&, std::span<float>);
extern template PatternHit find_float<float>(const Windows&, std::span<float>);

}  // namespace trackcore::zncc
