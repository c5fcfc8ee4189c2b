#include "core/simd/triangulate.hpp"

#include <limits>

#include "core/simd/vec64.hpp"
#include "core/simd/vec_null.hpp"

namespace {

using trackcore::simd::TriangulateTask;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
// Rays that differ by less are parallel: a thousandth of a pixel is more than 1e-7 rad.
constexpr double parallel_rad = 1e-7;
constexpr int optimal_steps = 3;
constexpr int most_steps = 50;
// What another step could still save: this share of the cost and no more, or rounding errors of the
// cost; those are this times its root.
constexpr double least_saving = 1e-13, least_saving_px2 = 1e-24, rounding_px = 1e-11;

// The values of core/triangulate.hpp.
enum : std::uint8_t { ok, too_few_views, at_infinity, behind_camera, small_angle, not_converged };

/// One block of points. `known` views, or any number if that is 0.
template <int known>
struct Block {
    F64 uv_[2 * known], seen_[known], rows_[8 * known];
    explicit Block(const TriangulateTask&, double*) {}
    F64 *uv = uv_, *seen = seen_, *rows = rows_;
};
template <>
struct Block<0> {
    F64 *uv, *seen, *rows;
    Block(const TriangulateTask& task, double* scratch)
        : uv(reinterpret_cast<F64*>(scratch)),
          seen(uv + 2 * task.n_views),
          rows(seen + task.n_views) {}
};

template <int known>
inline int views(const TriangulateTask& task) {
    return known ? known : task.n_views;
}

template <int known>
inline F64 gather(const TriangulateTask& task, std::ptrdiff_t begin, std::ptrdiff_t end,
                  Block<known>& block) {
    const int n = views<known>(task);
    const bool whole = end - begin >= lanes;
    F64 count = all(0.0);
    for (int c = 0; c < n; ++c) {
        alignas(64) double u[lanes], v[lanes];
        const double* p = task.uv_px + (begin * n + c) * 2;
        for (int l = 0; l < lanes; ++l) {
            const std::ptrdiff_t i = whole || begin + l < end ? l : 0;
            u[l] = p[i * n * 2];
            v[l] = p[i * n * 2 + 1];
        }
        const F64 x = load(u), y = load(v), zero = all(0.0);
        // infinity less itself is NaN, which equals nothing
        const Bits64 seen = ((x - x) == zero) & ((y - y) == zero);
        block.uv[2 * c] = pick(seen, x, zero);
        block.uv[2 * c + 1] = pick(seen, y, zero);
        block.seen[c] = pick(seen, all(1.0), zero);
        count = count + block.seen[c];
    }
    return count;
}

template <int known>
inline void dlt(const TriangulateTask& task, const F64* uv, Block<known>& block, F64* X) {
    const int n = views<known>(task);
    for (int c = 0; c < n; ++c) {
        const double* p = task.P + 12 * c;
        for (int k = 0; k < 2; ++k)
            for (int j = 0; j < 4; ++j)
                block.rows[8 * c + 4 * k + j] =
                    block.seen[c] * (uv[2 * c + k] * all(p[8 + j]) - all(p[4 * k + j]));
    }
    least_direction(block.rows, 2 * n, X);
}

/// Moves both positions the least distance that makes their rays meet.
/// Source: Lindstrom 2010, "Triangulation made easy", each step solving the constraint exactly.
inline void make_rays_meet(const double* F, const F64* uv, F64* moved) {
    const F64 f00 = all(F[0]), f01 = all(F[1]), f10 = all(F[3]), f11 = all(F[4]);
    const F64 f02 = all(F[2]), f12 = all(F[5]), f20 = all(F[6]), f21 = all(F[7]);
    for (int i = 0; i < 4; ++i) moved[i] = uv[i];
    const F64 n0 = f00 * uv[2] + f01 * uv[3] + f02, n1 = f10 * uv[2] + f11 * uv[3] + f12;
    const F64 m0 = f00 * uv[0] + f10 * uv[1] + f20, m1 = f01 * uv[0] + f11 * uv[1] + f21;
    const F64 c = uv[0] * n0 + uv[1] * n1 + (f20 * uv[2] + f21 * uv[3] + all(F[8]));
    F64 a0 = n0, a1 = n1, b0 = m0, b1 = m1;
    for (int step = 0; step < optimal_steps; ++step) {
        const F64 a = a0 * (f00 * b0 + f01 * b1) + a1 * (f10 * b0 + f11 * b1);
        const F64 b = all(0.5) * ((a0 * n0 + a1 * n1) + (b0 * m0 + b1 * m1));
        const F64 d = root(larger(b * b - a * c, all(0.0)));
        const F64 factor = pick(c == all(0.0), all(0.0), c / (b + d));
        moved[0] = uv[0] - factor * a0;
        moved[1] = uv[1] - factor * a1;
        moved[2] = uv[2] - factor * b0;
        moved[3] = uv[3] - factor * b1;
        a0 = f00 * moved[2] + f01 * moved[3] + f02;
        a1 = f10 * moved[2] + f11 * moved[3] + f12;
        b0 = f00 * moved[0] + f10 * moved[1] + f20;
        b1 = f01 * moved[0] + f11 * moved[1] + f21;
    }
}

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

/// Cost at X (w = 1): squared distances, or Huber's function of them.
template <int known>
inline F64 cost_at(const TriangulateTask& task, const Block<known>& block, const F64* X,
                   Normal& normal) {
    const bool robust = task.robust_px < infinity;
    F64 cost = all(0.0);
    for (int c = 0; c < views<known>(task); ++c) {
        const double* p = task.P + 12 * c;
        const Seen r = residual(p, X, block.uv + 2 * c);
        F64 part = r.du * r.du + r.dv * r.dv, weight = all(1.0);
        if (robust) {
            const F64 distance = root(part), cut = all(task.robust_px);
            const Bits64 near = distance <= cut;
            part = pick(near, part, cut * (distance + distance - cut));
            weight = pick(near, weight, cut / distance);
        }
        const Bits64 seen = block.seen[c] > all(0.0);
        cost = cost + pick(seen, part, all(0.0));
        normal.add(p, block.uv + 2 * c, r, r.inverse, pick(seen, weight, all(0.0)));
    }
    return cost;
}

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

/// Gauss-Newton from X, damped (Levenberg-Marquardt) only where a step would cost more. Returns the
/// lanes that have settled, or were not `wanted`.
template <int known>
inline Bits64 refine(const TriangulateTask& task, const Block<known>& block, const Bits64& wanted,
                     F64* X) {
    const F64 zero = all(0.0), w = X[3];
    for (int k = 0; k < 3; ++k) X[k] = X[k] / w;
    X[3] = all(1.0);
    Normal normal;
    F64 cost = cost_at(task, block, X, normal), damping = zero;
    Bits64 done = ~wanted;
    const Bits64 usable = cost < all(infinity);
    for (int i = 0; i < most_steps && any(usable & ~done); ++i) {
        F64 step[3];
        const F64 saving = solve(normal, damping, step);
        const Bits64 undamped = damping == zero;
        const F64 least = larger(cost * all(least_saving), all(least_saving_px2));
        const F64 to[4] = {X[0] + step[0], X[1] + step[1], X[2] + step[2], X[3]};
        Normal next;
        const F64 next_cost = cost_at(task, block, to, next);
        const Bits64 better = (next_cost < cost) & ~done;
        for (int k = 0; k < 3; ++k) X[k] = pick(better, to[k], X[k]);
        choose(better, next, normal);
        cost = pick(better, next_cost, cost);
        const F64 less = damping * all(0.05), more = larger(damping * all(10.0), all(1e-4));
        damping = pick(better, pick(less < all(1e-7), zero, less), more);
        const Bits64 flat = ~better & (saving <= root(cost) * all(rounding_px));
        done = done | (((saving <= least) | flat) & undamped);
    }
    return done;
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
    for (int k = 0; k < 4; ++k) {
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

/// The largest angle between two of the rays to X. `parallel`: no two of them differ.
template <int known>
inline F64 rays_angle(const TriangulateTask& task, const Block<known>& block, const F64* X,
                      Bits64& parallel) {
    constexpr double least = parallel_rad * parallel_rad;
    const int n = views<known>(task);
    if (known == 2) {
        const Rays rays = two_rays(task.centers, task.centers + 3, X);
        parallel = ~(rays.cross2 > all(least) * (rays.cross2 + rays.dot * rays.dot));
        return angle_of(root(rays.cross2), rays.dot);
    }
    F64 best = all(-1.0), best_cross2 = all(0.0), best_dot = all(1.0);
    parallel = all(0.0) < all(1.0);
    for (int i = 0; i + 1 < n; ++i)
        for (int j = i + 1; j < n; ++j) {
            const Rays rays = two_rays(task.centers + 3 * i, task.centers + 3 * j, X);
            const F64 sine2 = rays.cross2 / (rays.cross2 + rays.dot * rays.dot);
            const Bits64 both = (block.seen[i] * block.seen[j]) > all(0.0);
            const F64 order = pick(rays.dot < all(0.0), all(2.0) - sine2, sine2);
            const Bits64 wider = both & (order > best);
            best = pick(wider, order, best);
            best_cross2 = pick(wider, rays.cross2, best_cross2);
            best_dot = pick(wider, rays.dot, best_dot);
            parallel = parallel & ~(both & (sine2 > all(least)));
        }
    return angle_of(root(best_cross2), best_dot);
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

/// Values of one block: `per_point` numbers each, NaN unless good.
inline void scatter(const F64* values, int per_point, const Bits64& good, std::ptrdiff_t begin,
                    std::ptrdiff_t end, double* out) {
    out += begin * per_point;
    const bool whole = end - begin >= lanes;
    for (int k = 0; k < per_point; ++k) {
        alignas(64) double v[lanes];
        store(pick(good, values[k], all(nan)), v);
        if (whole)
            for (int l = 0; l < lanes; ++l) out[l * per_point + k] = v[l];
        else
            for (int l = 0; l < end - begin; ++l) out[l * per_point + k] = v[l];
    }
}

template <int known>
inline void finish(const TriangulateTask& task, const Block<known>& block, const F64& count,
                   const Bits64& settled, const F64* found, std::ptrdiff_t begin,
                   std::ptrdiff_t end) {
    const int n = views<known>(task);
    const F64 zero = all(0.0), one = all(1.0);
    F64 X[4];
    Bits64 parallel;
    for (int k = 0; k < 4; ++k) X[k] = pick(found[3] < zero, -found[k], found[k]);
    const F64 angle = rays_angle(task, block, X, parallel);
    F64* error = block.rows;  // the equations are not needed any more
    Normal normal;
    F64 sum = zero, front = one;
    for (int c = 0; c < n; ++c) {
        const double* p = task.P + 12 * c;
        const Seen r = residual(p, X, block.uv + 2 * c);
        const Bits64 seen = block.seen[c] > zero;
        const F64 distance2 = r.du * r.du + r.dv * r.dv;
        error[c] = pick(seen, root(distance2), all(nan));
        sum = sum + pick(seen, distance2, zero);
        front = pick(~seen | (all(task.facing[c]) * r.depth > zero), front, zero);
        if (task.covariance != nullptr) {
            F64 weight = one;
            if (task.robust_px < infinity)
                weight = one / larger(one, error[c] * all(1.0 / task.robust_px));
            normal.add(p, block.uv + 2 * c, r, X[3] * r.inverse, pick(seen, weight, zero));
        }
    }
    F64 code = all(ok);
    code = pick(settled, code, all(not_converged));
    code = pick(angle < all(task.least_angle_rad), all(small_angle), code);
    code = pick(front > zero, code, all(behind_camera));
    code = pick(parallel, pick(angle > one, all(small_angle), all(at_infinity)), code);
    code = pick(count < all(2.0), all(too_few_views), code);
    const Bits64 good = code == all(ok);
    for (int l = 0; l < lanes && begin + l < end; ++l)
        task.status[begin + l] = static_cast<std::uint8_t>(lane(code, l));
    const F64 mean = root(known == 2 ? sum * all(0.5) : sum / count);
    const F64 unit = one / X[3], place[3] = {X[0] * unit, X[1] * unit, X[2] * unit};
    scatter(place, 3, good, begin, end, task.X_world);
    scatter(&mean, 1, good, begin, end, task.reprojection_px);
    scatter(error, n, good, begin, end, task.view_error_px);
    scatter(&angle, 1, count > one, begin, end, task.angle_rad);
    if (task.covariance == nullptr) return;
    F64 covariance[9];
    invert(normal.h, task.sigma_px, covariance);
    scatter(covariance, 9, good, begin, end, task.covariance);
}

template <int known>
void triangulate_blocks(const TriangulateTask& task, std::ptrdiff_t begin, std::ptrdiff_t end,
                        double* scratch) {
    Block<known> block(task, scratch);
    for (; begin < end; begin += lanes) {
        const F64 count = gather(task, begin, end, block);
        F64 X[4];
        Bits64 settled = all(0.0) < all(1.0);
        if (task.method == 1) {
            F64 moved[4];
            make_rays_meet(task.F, block.uv, moved);
            dlt(task, moved, block, X);
        } else {
            dlt(task, block.uv, block, X);
            if (task.method == 2) settled = refine(task, block, count >= all(2.0), X);
        }
        finish(task, block, count, settled, X, begin, end);
    }
}

void triangulate(const TriangulateTask& task, std::ptrdiff_t begin, std::ptrdiff_t end,
                 double* scratch) {
    if (task.n_views == 2)
        triangulate_blocks<2>(task, begin, end, scratch);
    else
        triangulate_blocks<0>(task, begin, end, scratch);
}

}  // namespace

namespace trackcore::simd {
const TriangulateKernels TRACKCORE_LEVEL_TABLE(triangulate_kernels){triangulate};
}  // namespace trackcore::simd
