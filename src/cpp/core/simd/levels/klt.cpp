#include "core/simd/klt.hpp"

#include "core/simd/vec.hpp"

namespace {

using trackcore::simd::BrightnessSums;
using trackcore::simd::GradientSums;
using trackcore::simd::MatchSums;
using trackcore::simd::StepSums;
using trackcore::simd::TemplateView;
using trackcore::simd::TemplateWeights;
using trackcore::simd::TextureSums;

constexpr int P = trackcore::simd::patch_stride;
constexpr int S = trackcore::simd::template_stride;

/// Lanes of all ones in the first `count` lanes, zero in the rest.
template <int N>
inline I16<N> first_lanes(int count) {
    alignas(64) static constexpr std::int16_t ones[64] = {
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    return I16<N>::load(ones + 32 - (count < 0 ? 0 : count < N ? count : N));
}

/// Lanes of all ones where the column, x for the first lane, is neither the first nor the last.
template <int N>
inline I16<N> inner_lanes(int x, int width) {
    const I16<N> before_last = first_lanes<N>(width - 1 - x);
    return x > 0 ? before_last : sub(before_last, first_lanes<N>(1));
}

void widen(const std::uint8_t* src, std::ptrdiff_t stride, int width, int height, std::int16_t* dst,
           std::ptrdiff_t dst_stride) {
    for_columns(width, [&]<int N>(int x, I16<N>) {
        const auto row = [&](int y) {
            shift_left<trackcore::simd::sample_bits>(I16<N>::load_u8(src + y * stride + x))
                .store(dst + y * dst_stride + x);
        };
        int y = 0;
        for (; y + 1 < height; y += 2) row(y), row(y + 1);
        if (y < height) row(y);
    });
}

/// Derivative across five samples, in grey levels per pixel times 8, from samples times 32:
/// (8 (c1 - b1) - (c2 - b2)) / 12, whose error is of fourth order.
template <int N>
inline I16<N> derivative(I16<N> b2, I16<N> b1, I16<N> c1, I16<N> c2) {
    // 8/12 and 1/12 in units of 2^-15, times 8/32 for the change of scale
    const I16<N> near = mul_round15(sub(c1, b1), I16<N>::all(5461));
    const I16<N> far = mul_round15(sub(c2, b2), I16<N>::all(683));
    return sub(near, far);
}

/// Fills a template; gradient(p, dx, dy) differentiates at the samples p.
template <class Gradient>
inline void fill_template(const std::int16_t* patch, const TemplateWeights& weights, int width,
                          int height, std::int16_t* t, std::int16_t* gx, std::int16_t* gy,
                          GradientSums* sums, Gradient gradient) {
    GradientSums total{};
    // Never wider than S, which clang-tidy cannot know.
    for_columns(width < S ? width : S, [&]<int N>(int x, I16<N> zero) {
        const I16<N> column = I16<N>::load(weights.column + x);
        auto xx = zero_i32(zero), xy = xx, yy = xx;
        for (int y = 0; y < height; ++y) {
            const std::int16_t* p = patch + y * P + x;
            I16<N> dx, dy;
            gradient(p, dx, dy);
            I16<N> weight = column;
            if (y == 0) weight = mul_round15(weight, I16<N>::all(weights.first_row));
            if (y + 1 == height) weight = mul_round15(weight, I16<N>::all(weights.last_row));
            const I16<N> wx = mul_round15(dx, weight), wy = mul_round15(dy, weight);
            I16<N>::load(p).store(t + y * S + x);
            wx.store(gx + y * S + x);
            wy.store(gy + y * S + x);
            xx = add(xx, dot_pairs(wx, dx));
            xy = add(xy, dot_pairs(wx, dy));
            yy = add(yy, dot_pairs(wy, dy));
        }
        total.gx_gx += sum(xx), total.gx_gy += sum(xy), total.gy_gy += sum(yy);
    });
    *sums = total;
}

void make_template(const std::int16_t* patch, const TemplateWeights& weights, int width, int height,
                   std::int16_t* t, std::int16_t* gx, std::int16_t* gy, GradientSums* sums) {
    fill_template(patch, weights, width, height, t, gx, gy, sums,
                  []<int N>(const std::int16_t* p, I16<N>& dx, I16<N>& dy) {
                      const auto at = [&](int i) { return I16<N>::load(p + i); };
                      dx = derivative(at(-2), at(-1), at(1), at(2));
                      dy = derivative(at(-2 * P), at(-P), at(P), at(2 * P));
                  });
}

void make_coarse_template(const std::int16_t* patch, const TemplateWeights& weights, int width,
                          int height, std::int16_t* t, std::int16_t* gx, std::int16_t* gy,
                          GradientSums* sums) {
    fill_template(patch, weights, width, height, t, gx, gy, sums,
                  []<int N>(const std::int16_t* p, I16<N>& dx, I16<N>& dy) {
                      const auto at = [&](int dy_, int dx_) {
                          return I16<N>::load(p + dy_ * P + dx_);
                      };
                      const I16<N> falling = sub(at(1, 1), at(-1, -1));
                      const I16<N> rising = sub(at(-1, 1), at(1, -1));
                      const I16<N> across = sub(at(0, 1), at(0, -1));
                      const I16<N> down = sub(at(1, 0), at(-1, 0));
                      const I16<N> unit = I16<N>::all(1024);  // / 8 for Sobel, / 4 for the scale
                      dx = mul_round15(add(add(falling, rising), add(across, across)), unit);
                      dy = mul_round15(add(sub(falling, rising), add(down, down)), unit);
                  });
}

void brightness_sums(const TemplateView& view, BrightnessSums* sums) {
    BrightnessSums total{};
    for_columns(view.width, [&]<int N>(int x, I16<N> zero) {
        const I16<N> inside = first_lanes<N>(view.width - x);
        const I16<N> one = bit_and(I16<N>::all(1), inside);
        auto sx = zero_i32(zero), sy = sx, xt = sx, yt = sx, st = sx, tt = sx;
        for (int y = 0; y < view.height; ++y) {
            const int at = y * S + x;
            const I16<N> dx = I16<N>::load(view.gx + at), dy = I16<N>::load(view.gy + at);
            const I16<N> t8 = bit_and(shift_right<2>(I16<N>::load(view.t + at)), inside);
            sx = add(sx, dot_pairs(dx, one));
            sy = add(sy, dot_pairs(dy, one));
            xt = add(xt, dot_pairs(dx, t8));
            yt = add(yt, dot_pairs(dy, t8));
            st = add(st, dot_pairs(t8, one));
            tt = add(tt, dot_pairs(t8, t8));
        }
        total.gx += sum(sx), total.gy += sum(sy);
        total.gx_t += sum(xt), total.gy_t += sum(yt);
        total.t += sum(st), total.t_t += sum(tt);
    });
    *sums = total;
}

void texture_sums(const TemplateView& view, TextureSums* sums) {
    TextureSums total{};
    for_columns(view.width, [&]<int N>(int x, I16<N> zero) {
        const I16<N> inside = first_lanes<N>(view.width - x);
        const I16<N> inner = inner_lanes<N>(x, view.width);
        const I16<N> one = bit_and(I16<N>::all(1), inside);
        const I16<N> sixteenth = I16<N>::all(2048), quarter = I16<N>::all(8192);
        auto st = zero_i32(zero), tt = st, bend_x = st, bend_y = st, rough = st;
        for (int y = 0; y < view.height; ++y) {
            const std::int16_t* p = view.t + y * S + x;
            const I16<N> t8 = bit_and(shift_right<2>(I16<N>::load(p)), inside);
            st = add(st, dot_pairs(t8, one));
            tt = add(tt, dot_pairs(t8, t8));
            if (y == 0 || y + 1 == view.height) continue;
            const auto second = [&](int i, int stride) {
                const I16<N> middle = I16<N>::load(p + i);
                const I16<N> outer =
                    add(I16<N>::load(p + i - stride), I16<N>::load(p + i + stride));
                return mul_round15(sub(outer, add(middle, middle)), sixteenth);
            };
            const I16<N> across = bit_and(second(0, 1), inner), down = second(0, S);
            const I16<N> twice = sub(add(second(-1, S), second(1, S)), add(down, down));
            const I16<N> both = bit_and(mul_round15(twice, quarter), inner);
            bend_x = add(bend_x, dot_pairs(across, across));
            bend_y = add(bend_y, dot_pairs(bit_and(down, inner), down));
            rough = add(rough, dot_pairs(both, both));
        }
        total.t += sum(st), total.t_t += sum(tt);
        total.bend_x2 += sum(bend_x), total.bend_y2 += sum(bend_y), total.rough2 += sum(rough);
    });
    *sums = total;
}

template <int N>
inline I16<N> lerp(I16<N> a, I16<N> b, I16<N> weight) {
    return add(a, mul_round15(sub(b, a), weight));
}

/// Calls row(y, J) with each row of the patch resampled at (fx, fy) / 2^15. The row interpolated
/// across is kept: it is the upper row of one output and the lower row of the one before.
template <int N, class Row>
inline void resampled_rows(const std::int16_t* p, int fx, int fy, int height, Row row) {
    const I16<N> wx = I16<N>::all(fx), wy = I16<N>::all(fy);
    I16<N> above = lerp(I16<N>::load(p), I16<N>::load(p + 1), wx);
    for (int y = 0; y < height; ++y) {
        p += P;
        const I16<N> below = lerp(I16<N>::load(p), I16<N>::load(p + 1), wx);
        row(y, lerp(above, below, wy));
        above = below;
    }
}

template <bool photometric>
inline void step_with(const std::int16_t* patch, int fx, int fy, const TemplateView& view,
                      StepSums* sums) {
    StepSums total{};
    for_columns(view.width, [&]<int N>(int x, I16<N> zero) {
        const I16<N> inside = first_lanes<N>(view.width - x);
        const I16<N> one = bit_and(I16<N>::all(1), inside);
        auto xr = zero_i32(zero), yr = xr, sr = xr, rt = xr;
        resampled_rows<N>(patch + x, fx, fy, view.height, [&](int y, I16<N> value) {
            const int at = y * S + x;
            const I16<N> reference = I16<N>::load(view.t + at);
            const I16<N> r = sub(value, reference);
            xr = add(xr, dot_pairs(r, I16<N>::load(view.gx + at)));
            yr = add(yr, dot_pairs(r, I16<N>::load(view.gy + at)));
            if constexpr (photometric) {
                sr = add(sr, dot_pairs(r, one));
                rt = add(rt, dot_pairs(r, bit_and(shift_right<2>(reference), inside)));
            }
        });
        total.gx_r += sum(xr), total.gy_r += sum(yr);
        if constexpr (photometric) total.r += sum(sr), total.r_t += sum(rt);
    });
    *sums = total;
}

void step(const std::int16_t* patch, int fx, int fy, const TemplateView& view, StepSums* sums) {
    step_with<false>(patch, fx, fy, view, sums);
}

void step_photometric(const std::int16_t* patch, int fx, int fy, const TemplateView& view,
                      StepSums* sums) {
    step_with<true>(patch, fx, fy, view, sums);
}

void match(const std::int16_t* patch, int fx, int fy, const TemplateView& view, MatchSums* sums) {
    MatchSums total{};
    for_columns(view.width, [&]<int N>(int x, I16<N> zero) {
        const I16<N> inside = first_lanes<N>(view.width - x);
        const I16<N> one = bit_and(I16<N>::all(1), inside);
        auto sr = zero_i32(zero), rr = sr, rt = sr;
        resampled_rows<N>(patch + x, fx, fy, view.height, [&](int y, I16<N> value) {
            const I16<N> reference = I16<N>::load(view.t + y * S + x);
            const I16<N> r = bit_and(shift_right<2>(sub(value, reference)), inside);
            const I16<N> t8 = bit_and(shift_right<2>(reference), inside);
            sr = add(sr, dot_pairs(r, one));
            rr = add(rr, dot_pairs(r, r));
            rt = add(rt, dot_pairs(r, t8));
        });
        total.r += sum(sr), total.r_r += sum(rr), total.r_t += sum(rt);
    });
    *sums = total;
}

/// Weighted sum of eight vectors.
template <int N, class Load>
inline I16<N> filter8(const I16<N> (&weights)[8], Load load) {
    I16<N> even = mul_round15(load(0), weights[0]), odd = mul_round15(load(1), weights[1]);
    for (int k = 2; k < 8; k += 2) {
        even = add(even, mul_round15(load(k), weights[k]));
        odd = add(odd, mul_round15(load(k + 1), weights[k + 1]));
    }
    return add(even, odd);
}

void resample8(const std::int16_t* patch, const std::int16_t wx[8], const std::int16_t wy[8],
               int width, int height, std::int16_t* dst) {
    alignas(64) std::int16_t rows[(trackcore::simd::max_window + 8) * S];
    for_columns(width, [&]<int N>(int x, I16<N>) {
        I16<N> weights[8];
        for (int k = 0; k < 8; ++k) weights[k] = I16<N>::all(wx[k]);
        for (int y = 0; y < height + 7; ++y) {
            const std::int16_t* p = patch + (y - 3) * P + x - 3;
            filter8<N>(weights, [&](int k) { return I16<N>::load(p + k); }).store(rows + y * S + x);
        }
        for (int k = 0; k < 8; ++k) weights[k] = I16<N>::all(wy[k]);
        for (int y = 0; y < height; ++y) {
            const std::int16_t* p = rows + y * S + x;
            filter8<N>(weights, [&](int k) {
                return I16<N>::load(p + k * S);
            }).store(dst + y * P + x);
        }
    });
}

}  // namespace

namespace trackcore::simd {
const KltKernels TRACKCORE_LEVEL_TABLE(klt_kernels){
    widen,        make_template, make_coarse_template, brightness_sums,
    texture_sums, step,          step_photometric,     match,
    resample8};
}  // namespace trackcore::simd
