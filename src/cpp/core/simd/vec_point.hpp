// One point before cameras, for the files in levels/: residuals, normal equations of the
// reprojection error, angles of rays. One point per lane.
#pragma once

#include "core/simd/vec64.hpp"

namespace {

struct Seen {
    F64 du, dv, depth, inverse;  // residual [px]; third coordinate of P X and one over it
};

inline Seen residual(const double* p, const F64* X, const F64* uv) {
    const F64 depth = all(p[8]) * X[0] + all(p[9]) * X[1] + all(p[10]) * X[2] + all(p[11]) * X[3];
    const F64 inverse = all(1.0) / depth;
    const F64 x = all(p[0]) * X[0] + all(p[1]) * X[1] + all(p[2]) * X[2] + all(p[3]) * X[3];
    const F64 y = all(p[4]) * X[0] + all(p[5]) * X[1] + all(p[6]) * X[2] + all(p[7]) * X[3];
    return {x * inverse - uv[0], y * inverse - uv[1], depth, inverse};
}

/// Normal equations of the reprojection error: upper triangle of J'WJ, J'Wr.
struct Normal {
    F64 h[6], g[3];
    Normal() {
        for (F64& v : h) v = all(0.0);
        for (F64& v : g) v = all(0.0);
    }
    void add(const double* p, const F64* uv, const Seen& r, const F64& inverse, const F64& weight) {
        F64 ju[3], jv[3];
        const F64 u = r.du + uv[0], v = r.dv + uv[1];
        for (int k = 0; k < 3; ++k) {
            ju[k] = (all(p[k]) - u * all(p[8 + k])) * inverse;
            jv[k] = (all(p[4 + k]) - v * all(p[8 + k])) * inverse;
        }
        for (int i = 0, at = 0; i < 3; ++i) {
            const F64 wu = weight * ju[i], wv = weight * jv[i];
            for (int j = i; j < 3; ++j, ++at) h[at] = h[at] + (wu * ju[j] + wv * jv[j]);
            g[i] = g[i] + (wu * r.du + wv * r.dv);
        }
    }
};

/// (H + damping diag H) step = -g; returns -g . step, which undamped is what the step saves.
inline F64 solve(const Normal& n, const F64& damping, F64* step) {
    const F64 more = all(1.0) + damping;
    const F64 a00 = n.h[0] * more, a11 = n.h[3] * more, a22 = n.h[5] * more;
    const F64 i0 = all(1.0) / a00, l10 = n.h[1] * i0, l20 = n.h[2] * i0;
    const F64 i1 = all(1.0) / (a11 - l10 * n.h[1]);
    const F64 t = n.h[4] - l10 * n.h[2], l21 = t * i1;
    const F64 i2 = all(1.0) / (a22 - l20 * n.h[2] - l21 * t);
    const F64 y0 = -n.g[0], y1 = -n.g[1] - l10 * y0, y2 = -n.g[2] - l20 * y0 - l21 * y1;
    step[2] = y2 * i2;
    step[1] = y1 * i1 - l21 * step[2];
    step[0] = y0 * i0 - l10 * step[1] - l20 * step[2];
    return -(n.g[0] * step[0] + n.g[1] * step[1] + n.g[2] * step[2]);
}

inline void choose(const Bits64& yes, const Normal& a, Normal& b) {
    for (int i = 0; i < 6; ++i) b.h[i] = pick(yes, a.h[i], b.h[i]);
    for (int i = 0; i < 3; ++i) b.g[i] = pick(yes, a.g[i], b.g[i]);
}

/// sigma^2 times the inverse of the upper triangle h, by cofactors.
inline void invert(const F64* h, double sigma, F64* out) {
    const F64 c00 = h[3] * h[5] - h[4] * h[4], c01 = h[2] * h[4] - h[1] * h[5];
    const F64 c02 = h[1] * h[4] - h[2] * h[3];
    const F64 scale = all(sigma * sigma) / (h[0] * c00 + h[1] * c01 + h[2] * c02);
    out[0] = c00 * scale;
    out[1] = out[3] = c01 * scale;
    out[2] = out[6] = c02 * scale;
    out[4] = (h[0] * h[5] - h[2] * h[2]) * scale;
    out[5] = out[7] = (h[1] * h[2] - h[0] * h[4]) * scale;
    out[8] = (h[0] * h[3] - h[1] * h[1]) * scale;
}

/// The angle with this tangent, cross / |dot|, or what it lacks to half a turn if dot < 0.
inline F64 angle_of(const F64& cross, const F64& dot) {
    const F64 base = absolute(dot);
    // Less the nearest of 0, 1, .. 4 eighths of pi, whose tangents follow; then a series.
    constexpr double tan_16[] = {0.19891236737965800, 0.66817863791929892, 1.4966057626654890,
                                 5.0273394921258481};
    constexpr double sin_8[] = {0.38268343236508977, 0.70710678118654752, 0.92387953251128676, 1.0};
    constexpr double cos_8[] = {0.92387953251128676, 0.70710678118654752, 0.38268343236508977, 0.0};
    constexpr double eighth = 0.39269908169872415;
    F64 sin = all(0.0), cos = all(1.0), angle = all(0.0);
    const bool narrow = !any(cross > base * all(tan_16[0]));  // as of most rigs
    for (int k = 0; k < 4 && !narrow; ++k) {
        const Bits64 beyond = cross > base * all(tan_16[k]);
        sin = pick(beyond, all(sin_8[k]), sin);
        cos = pick(beyond, all(cos_8[k]), cos);
        angle = pick(beyond, all((k + 1) * eighth), angle);
    }
    const F64 x = (cross * cos - base * sin) / (base * cos + cross * sin), x2 = x * x;
    F64 series = all(1.0 / 21.0);
    for (int k = 19; k > 0; k -= 2) series = all(1.0 / k) - x2 * series;
    angle = angle + x * series;
    return pick(dot < all(0.0), all(3.14159265358979323846) - angle, angle);
}

struct Rays {
    F64 cross2, dot;
};

/// Square of the cross product of two rays to X, and their dot product.
inline Rays two_rays(const double* p, const double* q, const F64* X) {
    F64 a[3], base[3];
    for (int k = 0; k < 3; ++k) {
        a[k] = X[k] - X[3] * all(p[k]);
        base[k] = X[3] * all(p[k] - q[k]);
    }
    // The cross product with the baseline is that of the rays, and nothing cancels.
    const F64 x = a[1] * base[2] - a[2] * base[1], y = a[2] * base[0] - a[0] * base[2];
    const F64 z = a[0] * base[1] - a[1] * base[0];
    return {x * x + y * y + z * z,
            a[0] * (a[0] + base[0]) + a[1] * (a[1] + base[1]) + a[2] * (a[2] + base[2])};
}

}  // namespace
