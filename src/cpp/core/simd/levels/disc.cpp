#include "core/simd/disc.hpp"

#include "core/simd/vec32.hpp"

namespace {

using namespace trackcore::simd;

inline WideFloat least(WideFloat a, WideFloat b) {
    const WideFloat zero = all(0.0f);
    return sub(zero, max(sub(zero, a), sub(zero, b)));
}
inline WideFloat cut(WideFloat t) { return least(max(t, all(-1.0f)), all(1.0f)); }

/// Edge 1/2 + 3/4 t - 1/4 t^3 of a cut t, and its derivative.
inline WideFloat edge(WideFloat t) {
    const WideFloat inner = sub(all(0.75f), mul(all(0.25f), mul(t, t)));
    return mul_add(t, inner, all(0.5f));
}
inline WideFloat edge_slope(WideFloat t) { return sub(all(0.75f), mul(all(0.75f), mul(t, t))); }

inline WideFloat size_of(WideFloat a) { return max(a, sub(all(0.0f), a)); }

/// A sharp edge averaged over square pixels: a ramp along an axis, the sum of a triangle along a
/// diagonal, and between the two by the fourth moment of the pixel as seen from the edge. Blur
/// makes all of them the same cubic; `square` is how much of the pixel is left in the edge's width.
struct PixelEdge {
    WideFloat per_ramp, per_triangle, square;

    explicit PixelEdge(float soft)
        : per_ramp(all(1.2910f / soft)),      // soft times the root of 3/5 is half a ramp
          per_triangle(all(0.9129f / soft)),  // and of 6/5 half a triangle: equal variance
          square(all(0.0f)) {
        const float share = 0.41667f / (soft * soft);  // variance 1/12 of soft^2 / 5
        square = all(share < 1.0f ? share * share : 1.0f);
    }
    /// `inward`: distance from the edge; `diagonal`: 4 cos^2 sin^2 of its direction.
    WideFloat operator()(WideFloat inward, WideFloat cubic, WideFloat diagonal) const {
        const WideFloat half = all(0.5f);
        const WideFloat ramp = mul_add(half, cut(mul(inward, per_ramp)), half);
        const WideFloat t = cut(mul(inward, per_triangle));
        const WideFloat triangle = add(half, mul(t, sub(all(1.0f), mul(half, size_of(t)))));
        const WideFloat pixel = mul_add(diagonal, sub(triangle, ramp), ramp);
        return mul_add(square, sub(pixel, cubic), cubic);
    }
};

/// J^T J, J^T e, e^T e, lane by lane.
template <int n>
struct Normal {
    WideFloat sums[fit_sums(n)];

    Normal() {
        for (auto& s : sums) s = all(0.0f);
    }
    inline void add_pixels(const WideFloat* j, WideFloat error) {
        int at = 0;
#pragma GCC unroll 8
        for (int a = 0; a < n; ++a)
#pragma GCC unroll 8
            for (int b = a; b < n; ++b, ++at) sums[at] = mul_add(j[a], j[b], sums[at]);
#pragma GCC unroll 8
        for (int a = 0; a < n; ++a, ++at) sums[at] = mul_add(j[a], error, sums[at]);
        sums[at] = mul_add(error, error, sums[at]);
    }
    /// Pixels whose only parameter is the background's level.
    inline void add_background(WideFloat count, WideFloat errors, WideFloat energy) {
        if constexpr (n > fit_offset) {
            constexpr int square = fit_offset * n - fit_offset * (fit_offset - 1) / 2;
            constexpr int gradient = n * (n + 1) / 2 + fit_offset;
            sums[square] = add(sums[square], count);
            sums[gradient] = add(sums[gradient], errors);
        }
        sums[fit_sums(n) - 1] = add(sums[fit_sums(n) - 1], energy);
    }
    void store_to(float* out) const {
        for (int i = 0; i < fit_sums(n); ++i) out[i] = sum(sums[i]);
    }
};

constexpr float lanes[2 * fit_lanes] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
constexpr float first[fit_lanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// Calls body(at, dx, dy, weight): the index of some pixels, where they lie from the centre, and 1
/// for those in the window. Pixels that lie further off than `reach` see nothing but background:
/// they are added up here.
template <int n, class Body>
inline void for_pixels(const FitWindow& window, const BallShape& shape, float reach_x,
                       float reach_y, Normal<n>& normal, Body body) {
    const WideFloat left = load(first), offset = all(shape.offset);
    WideFloat count = all(0.0f), errors = all(0.0f), energy = all(0.0f);
    for (int y = 0; y < window.height; ++y) {
        const float row = static_cast<float>(y) - shape.y;
        const bool row_off = row > reach_y || row < -reach_y;
        const WideFloat dy = all(row);
        for (int x = 0; x < window.width; x += half_wide) {
            const int rest = window.width - x;
            const std::ptrdiff_t at = y * window.stride + x;
            const WideFloat weight = load(lanes + (rest < half_wide ? fit_lanes - rest : 0));
            const float column = static_cast<float>(x) - shape.x;
            if (row_off || column > reach_x || column + half_wide - 1 < -reach_x) {
                const WideFloat behind = add(load(window.base + at), offset);
                const WideFloat error = mul(sub(load(window.now + at), behind), weight);
                count = add(count, weight);
                errors = add(errors, error);
                energy = mul_add(error, error, energy);
                continue;
            }
            body(at, add(left, all(column)), dy, weight);
        }
    }
    normal.add_background(count, errors, energy);
}

template <int n>
void disc(const FitWindow& window, const BallShape& shape, float* sums) {
    Normal<n> normal;
    const WideFloat level = all(shape.level), offset = all(shape.offset), one = all(1.0f);
    const WideFloat radius = all(shape.radius), sharp = all(1.0f / shape.soft);
    const PixelEdge pixel_edge(shape.soft);
    const float reach = shape.radius + 1.1f * shape.soft;  // the triangle's is the widest edge
    for_pixels(
        window, shape, reach, reach, normal,
        [&](std::ptrdiff_t at, WideFloat dx, WideFloat dy, WideFloat weight) {
            const WideFloat squared = mul_add(dx, dx, mul_add(dy, dy, all(1e-6f)));
            const WideFloat per_distance = div(one, square_root(squared));
            const WideFloat distance = mul(squared, per_distance);
            const WideFloat ux = mul(dx, per_distance), uy = mul(dy, per_distance);
            const WideFloat inward = sub(radius, distance), t = cut(mul(inward, sharp));
            const WideFloat twice_product = mul(add(ux, ux), uy);
            const WideFloat share = pixel_edge(inward, edge(t), mul(twice_product, twice_product));
            const WideFloat behind = add(load(window.base + at), offset);
            const WideFloat contrast = mul(sub(level, behind), weight);
            const WideFloat error =
                mul(sub(load(window.now + at), mul_add(share, sub(level, behind), behind)), weight);
            const WideFloat rise = mul(mul(contrast, edge_slope(t)), sharp);
            const WideFloat j[disc_parameters] = {mul(share, weight),
                                                  mul(rise, ux),
                                                  mul(rise, uy),
                                                  rise,
                                                  sub(all(0.0f), mul(rise, t)),
                                                  mul(sub(one, share), weight)};
            normal.add_pixels(j, error);
        });
    normal.store_to(sums);
}

/// The integral of the edge from minus infinity to t, in units of its half width.
inline WideFloat ramp(WideFloat t) {
    const WideFloat u = cut(t), uu = mul(u, u);
    const WideFloat even = mul_add(uu, sub(all(0.375f), mul(all(0.0625f), uu)), all(0.1875f));
    return add(mul_add(u, all(0.5f), even), max(sub(t, all(1.0f)), all(0.0f)));
}

void streak(const FitWindow& window, const BallShape& shape, float* sums) {
    Normal<fit_parameters> normal;
    const WideFloat level = all(shape.level), offset = all(shape.offset), one = all(1.0f);
    const WideFloat along_x = all(shape.along_x), along_y = all(shape.along_y);
    const WideFloat half = all(shape.half), per_way = all(0.5f / shape.half);
    const WideFloat soft = all(shape.soft), sharp = all(1.0f / shape.soft);
    // The chord across the way, averaged over a pixel's width by three points of Gauss.
    const float aside[3] = {-0.6f * shape.soft, 0.0f, 0.6f * shape.soft};
    const float part[3] = {5.0f / 18, 8.0f / 18, 5.0f / 18};
    const WideFloat square = all(shape.radius * shape.radius), radius = all(shape.radius);
    const float reach = shape.radius + 1.1f * shape.soft + 1.0f;
    const auto size = [](float v) { return v < 0 ? -v : v; };
    const float reach_x = reach + shape.half * size(shape.along_x);
    const float reach_y = reach + shape.half * size(shape.along_y);
    for_pixels(
        window, shape, reach_x, reach_y, normal,
        [&](std::ptrdiff_t at, WideFloat dx, WideFloat dy, WideFloat weight) {
            const WideFloat a = mul_add(dx, along_x, mul(dy, along_y));
            const WideFloat b = sub(mul(dy, along_x), mul(dx, along_y));
            WideFloat chord = all(0.0f), per_chord = all(0.0f), chord_by_b = all(0.0f);
            for (int i = 0; i < 3; ++i) {
                const WideFloat beside = add(b, all(aside[i]));
                const WideFloat q = max(sub(square, mul(beside, beside)), all(0.0f));
                const WideFloat length = square_root(add(q, all(1e-4f)));
                const WideFloat in = least(mul(q, all(1e4f)), all(part[i]));  // 0 outside the disc
                const WideFloat inverse = div(in, length);
                chord = mul_add(length, all(part[i]), chord);
                per_chord = add(per_chord, inverse);
                chord_by_b = sub(chord_by_b, mul(beside, inverse));
            }
            const WideFloat head = add(a, half), tail = sub(a, half);
            const WideFloat t0 = mul(add(head, chord), sharp), t1 = mul(sub(head, chord), sharp);
            const WideFloat t2 = mul(add(tail, chord), sharp), t3 = mul(sub(tail, chord), sharp);
            const WideFloat covered = sub(sub(ramp(t0), ramp(t1)), sub(ramp(t2), ramp(t3)));
            const WideFloat share = mul(mul(covered, soft), per_way);
            const WideFloat e0 = edge(cut(t0)), e1 = edge(cut(t1));
            const WideFloat e2 = edge(cut(t2)), e3 = edge(cut(t3));
            const WideFloat by_a = mul(sub(sub(e0, e1), sub(e2, e3)), per_way);
            const WideFloat by_chord = mul(sub(add(e0, e1), add(e2, e3)), per_way);
            const WideFloat by_half =
                sub(mul(add(sub(e0, e1), sub(e2, e3)), per_way), mul(share, add(per_way, per_way)));
            const WideFloat by_b = mul(by_chord, chord_by_b);
            const WideFloat by_radius = mul(by_chord, mul(radius, per_chord));
            const WideFloat behind = add(load(window.base + at), offset);
            const WideFloat contrast = mul(sub(level, behind), weight);
            const WideFloat error =
                mul(sub(load(window.now + at), mul_add(share, sub(level, behind), behind)), weight);
            // d share / d soft: the ramps' dependence on their width
            const auto widened = [&](WideFloat t) { return sub(ramp(t), mul(t, edge(cut(t)))); };
            const WideFloat by_soft =
                mul(sub(sub(widened(t0), widened(t1)), sub(widened(t2), widened(t3))), per_way);
            const WideFloat j[fit_parameters] = {
                mul(share, weight),
                mul(contrast, sub(mul(by_b, along_y), mul(by_a, along_x))),
                mul(contrast, sub(sub(all(0.0f), mul(by_a, along_y)), mul(by_b, along_x))),
                mul(contrast, by_radius),
                mul(contrast, by_soft),
                mul(sub(one, share), weight),
                mul(contrast, by_half),
                mul(contrast, sub(mul(by_a, b), mul(by_b, a)))};
            normal.add_pixels(j, error);
        });
    normal.store_to(sums);
}

/// The mean of the disc at so many moments of the exposure.
void streak_by_moments(const FitWindow& window, const BallShape& shape, int moments, float* sums) {
    Normal<fit_parameters> normal;
    const WideFloat level = all(shape.level), offset = all(shape.offset), one = all(1.0f);
    const WideFloat radius = all(shape.radius), sharp = all(1.0f / shape.soft);
    const WideFloat along_x = all(shape.along_x), along_y = all(shape.along_y);
    const PixelEdge pixel_edge(shape.soft);
    const float step = 2.0f / static_cast<float>(moments);
    const float reach = shape.radius + 1.1f * shape.soft;
    const auto size = [](float v) { return v < 0 ? -v : v; };
    for_pixels(
        window, shape, reach + shape.half * size(shape.along_x),
        reach + shape.half * size(shape.along_y), normal,
        [&](std::ptrdiff_t at, WideFloat dx, WideFloat dy, WideFloat weight) {
            WideFloat share = all(0.0f), by_x = share, by_y = share, by_radius = share;
            WideFloat by_soft = share, by_half = share, by_turn = share;
            for (int i = 0; i < moments; ++i) {
                const float when = (static_cast<float>(i) + 0.5f) * step - 1.0f;  // -1 .. 1
                const WideFloat x = sub(dx, all(when * shape.half * shape.along_x));
                const WideFloat y = sub(dy, all(when * shape.half * shape.along_y));
                const WideFloat squared = mul_add(x, x, mul_add(y, y, all(1e-6f)));
                const WideFloat per_distance = div(one, square_root(squared));
                const WideFloat ux = mul(x, per_distance), uy = mul(y, per_distance);
                const WideFloat inward = sub(radius, mul(squared, per_distance));
                const WideFloat t = cut(mul(inward, sharp));
                const WideFloat twice = mul(add(ux, ux), uy), slope = edge_slope(t);
                share = add(share, pixel_edge(inward, edge(t), mul(twice, twice)));
                const WideFloat rise_x = mul(slope, ux), rise_y = mul(slope, uy);
                by_x = add(by_x, rise_x);
                by_y = add(by_y, rise_y);
                by_radius = add(by_radius, slope);
                by_soft = mul_add(slope, t, by_soft);
                by_half =
                    mul_add(all(when), mul_add(rise_x, along_x, mul(rise_y, along_y)), by_half);
                by_turn =
                    mul_add(all(when), sub(mul(rise_y, along_x), mul(rise_x, along_y)), by_turn);
            }
            const WideFloat mean = all(0.5f * step);
            share = mul(share, mean);
            const WideFloat behind = add(load(window.base + at), offset);
            const WideFloat contrast = mul(sub(level, behind), weight);
            const WideFloat error =
                mul(sub(load(window.now + at), mul_add(share, sub(level, behind), behind)), weight);
            const WideFloat rise = mul(mul(contrast, sharp), mean);
            const WideFloat j[fit_parameters] = {mul(share, weight),
                                                 mul(rise, by_x),
                                                 mul(rise, by_y),
                                                 mul(rise, by_radius),
                                                 sub(all(0.0f), mul(rise, by_soft)),
                                                 mul(sub(one, share), weight),
                                                 mul(rise, by_half),
                                                 mul(mul(rise, all(shape.half)), by_turn)};
            normal.add_pixels(j, error);
        });
    normal.store_to(sums);
}

float energy(const FitWindow& window) {
    WideFloat total = all(0.0f);
    for (int y = 0; y < window.height; ++y)
        for (int x = 0; x < window.width; x += half_wide) {
            const int rest = window.width - x;
            const std::ptrdiff_t at = y * window.stride + x;
            const WideFloat weight = load(lanes + (rest < half_wide ? fit_lanes - rest : 0));
            const WideFloat apart = mul(sub(load(window.now + at), load(window.base + at)), weight);
            total = mul_add(apart, apart, total);
        }
    return sum(total);
}

void widen(const std::uint8_t* __restrict now, const std::uint8_t* __restrict high,
           const std::uint8_t* __restrict low, int n, float* __restrict now_out,
           float* __restrict base_out) {
    const auto one = [&](int x) {
        now_out[x] = static_cast<float>(now[x]);
        base_out[x] = static_cast<float>((high[x] << 8 | low[x]) - 128) * (1.0f / 256.0f);
    };
    int x = 0;
    for (; x + fit_lanes <= n; x += fit_lanes)
        for (int i = 0; i < fit_lanes; ++i) one(x + i);  // a known number: whole vectors
    for (; x < n; ++x) one(x);
}

}  // namespace

namespace trackcore::simd {
const DiscKernels TRACKCORE_LEVEL_TABLE(disc_kernels){
    disc<fit_offset>, disc<disc_parameters>, streak, streak_by_moments, widen, energy};
}  // namespace trackcore::simd
