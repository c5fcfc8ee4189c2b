#include "core/simd/triangulate.hpp"

#include <limits>

#include "core/simd/vec64.hpp"
#include "core/simd/vec_null.hpp"
#include "core/simd/vec_pair.hpp"
#include "core/simd/vec_point.hpp"
#include "core/simd/vec_rows.hpp"

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
constexpr double least_saving = 1e-11, least_saving_px2 = 1e-24, rounding_px = 1e-11;

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
    F64 count = all(0.0), four[4];
    if (known == 2 && whole) load_rows4(task.uv_px + begin * 4, four);
    for (int c = 0; c < n; ++c) {
        alignas(64) double u[lanes], v[lanes];
        if (known != 2 || !whole) {
            const double* p = task.uv_px + (begin * n + c) * 2;
            for (int l = 0; l < lanes; ++l) {
                const std::ptrdiff_t i = whole || begin + l < end ? l : 0;
                u[l] = p[i * n * 2];
                v[l] = p[i * n * 2 + 1];
            }
            four[2 * (c & 1)] = load(u);
            four[2 * (c & 1) + 1] = load(v);
        }
        const F64 x = four[2 * (c & 1)], y = four[2 * (c & 1) + 1], zero = all(0.0);
        // infinity less itself is NaN, which equals nothing
        // NOLINTNEXTLINE(misc-redundant-expression)
        const Bits64 seen = ((x - x) == zero) & ((y - y) == zero);
        block.uv[2 * c] = pick(seen, x, zero);
        block.uv[2 * c + 1] = pick(seen, y, zero);
        block.seen[c] = pick(seen, all(1.0), zero);
        count = count + block.seen[c];
    }
    return count;
}

/// The two equations of a view, zero where it does not see the point.
inline void equations(const double* p, const F64* uv, const F64& seen, F64* rows) {
    for (int k = 0; k < 2; ++k)
        for (int j = 0; j < 4; ++j)
            rows[4 * k + j] = seen * (uv[k] * all(p[8 + j]) - all(p[4 * k + j]));
}

template <int known>
inline void dlt(const TriangulateTask& task, const F64* uv, const F64& count, Block<known>& block,
                F64* X) {
    const int n = views<known>(task);
    Bits64 good;
    if constexpr (known == 2) {
        good = pair_direction(*task.pair, uv, X);
    } else {
        F64 normal[10], rows[8];
        for (F64& v : normal) v = all(0.0);
        for (int c = 0; c < n; ++c) {
            equations(task.P + 12 * c, uv + 2 * c, block.seen[c], rows);
            for (int i = 0, at = 0; i < 4; ++i)
                for (int j = i; j < 4; ++j, ++at)
                    normal[at] = normal[at] + (rows[i] * rows[j] + rows[4 + i] * rows[4 + j]);
        }
        good = from_normal_matrix(normal, X);
    }
    if (!any(~good & (count >= all(2.0)))) return;
    for (int c = 0; c < n; ++c)
        equations(task.P + 12 * c, uv + 2 * c, block.seen[c], block.rows + 8 * c);
    F64 slow[4];
    least_direction(block.rows, 2 * n, slow);
    for (int i = 0; i < 4; ++i) X[i] = pick(good, X[i], slow[i]);
}

/// Moves both positions the least distance that makes their rays meet.
/// Source: Lindstrom 2010, "Triangulation made easy", each step solving the constraint exactly.
inline void make_rays_meet(const double* F, const F64* uv, F64* moved) {
    const F64 f00 = all(F[0]), f01 = all(F[1]), f10 = all(F[3]), f11 = all(F[4]);
    const F64 f02 = all(F[2]), f12 = all(F[5]), f20 = all(F[6]), f21 = all(F[7]);
    const F64 n0 = f00 * uv[2] + f01 * uv[3] + f02, n1 = f10 * uv[2] + f11 * uv[3] + f12;
    const F64 m0 = f00 * uv[0] + f10 * uv[1] + f20, m1 = f01 * uv[0] + f11 * uv[1] + f21;
    const F64 c = uv[0] * n0 + uv[1] * n1 + (f20 * uv[2] + f21 * uv[3] + all(F[8]));
    F64 a0 = n0, a1 = n1, b0 = m0, b1 = m1, factor = all(0.0);
#pragma GCC unroll 3
    for (int step = 0; step < optimal_steps; ++step) {
        if (step > 0) {  // the epipolar lines of the positions moved so far
            const F64 p0 = f00 * b0 + f01 * b1, p1 = f10 * b0 + f11 * b1;
            b0 = m0 - factor * (f00 * a0 + f10 * a1);
            b1 = m1 - factor * (f01 * a0 + f11 * a1);
            a0 = n0 - factor * p0;
            a1 = n1 - factor * p1;
        }
        const F64 a = a0 * (f00 * b0 + f01 * b1) + a1 * (f10 * b0 + f11 * b1);
        const F64 b = all(0.5) * ((a0 * n0 + a1 * n1) + (b0 * m0 + b1 * m1));
        const F64 d = root(larger(b * b - a * c, all(0.0)));
        factor = pick(c == all(0.0), all(0.0), c / (b + d));
    }
    moved[0] = uv[0] - factor * a0;
    moved[1] = uv[1] - factor * a1;
    moved[2] = uv[2] - factor * b0;
    moved[3] = uv[3] - factor * b1;
}

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

/// Gauss-Newton from X, damped (Levenberg-Marquardt) only where a step would cost more. Returns the
/// lanes that have settled, or were not `wanted`.
template <int known>
inline Bits64 refine(const TriangulateTask& task, const Block<known>& block, const Bits64& wanted,
                     F64* X) {
    const F64 zero = all(0.0), start[4] = {X[0], X[1], X[2], X[3]};
    for (int k = 0; k < 4; ++k) X[k] = start[k] / start[3];
    Normal normal;
    F64 cost = cost_at(task, block, X, normal), damping = zero;
    Bits64 done = ~wanted;
    const Bits64 usable = cost < all(infinity);
    for (int k = 0; k < 4; ++k) X[k] = pick(usable, X[k], start[k]);
    for (int i = 0; i < most_steps && any(usable & ~done); ++i) {
        F64 step[3];
        const F64 saving = solve(normal, damping, step);
        const Bits64 undamped = damping == zero;
        const F64 least = larger(cost * all(least_saving), all(least_saving_px2));
        const F64 to[4] = {X[0] + step[0], X[1] + step[1], X[2] + step[2], X[3]};
        // So small a step needs no proof that it helps.
        const Bits64 last = (saving <= least) & undamped & ~done;
        for (int k = 0; k < 3; ++k) X[k] = pick(last, to[k], X[k]);
        done = done | last;
        if (!any(usable & ~done)) break;
        Normal next;
        const F64 next_cost = cost_at(task, block, to, next);
        const Bits64 better = (next_cost < cost) & ~done;
        for (int k = 0; k < 3; ++k) X[k] = pick(better, to[k], X[k]);
        choose(better, next, normal);
        cost = pick(better, next_cost, cost);
        const F64 less = damping * all(0.05), more = larger(damping * all(10.0), all(1e-4));
        damping = pick(better, pick(less < all(1e-7), zero, less), more);
        const Bits64 flat = ~better & (saving <= root(cost) * all(rounding_px));
        done = done | (flat & undamped);
    }
    return done;
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
    // Angles are compared by the squares of their sines, and of 2 less that beyond a quarter turn,
    // as fractions: a division for each pair would be most of the work.
    F64 best = all(-1.0), best_all = all(1.0), best_cross2 = all(0.0), best_dot = all(1.0);
    parallel = all(0.0) < all(1.0);
    for (int i = 0; i + 1 < n; ++i)
        for (int j = i + 1; j < n; ++j) {
            const Rays rays = two_rays(task.centers + 3 * i, task.centers + 3 * j, X);
            const F64 whole = rays.cross2 + rays.dot * rays.dot;
            const F64 part = pick(rays.dot < all(0.0), whole + whole - rays.cross2, rays.cross2);
            const Bits64 both = (block.seen[i] * block.seen[j]) > all(0.0);
            const Bits64 wider = both & (part * best_all > best * whole);
            best = pick(wider, part, best);
            best_all = pick(wider, whole, best_all);
            best_cross2 = pick(wider, rays.cross2, best_cross2);
            best_dot = pick(wider, rays.dot, best_dot);
            parallel = parallel & ~(both & (rays.cross2 > all(least) * whole));
        }
    return angle_of(root(best_cross2), best_dot);
}

/// Values of one block: `n` numbers each, NaN unless good.
template <int n>
inline void scatter(const F64* values, const Bits64& good, std::ptrdiff_t begin, std::ptrdiff_t end,
                    double* out) {
    F64 v[n];
    for (int k = 0; k < n; ++k) v[k] = pick(good, values[k], all(nan));
    if (end - begin >= lanes) {
        store_rows<n>(v, out + begin * n);
        return;
    }
    alignas(64) double spare[n * lanes];
    store_rows<n>(v, spare);
    for (std::ptrdiff_t i = 0; i < (end - begin) * n; ++i) out[begin * n + i] = spare[i];
}

/// The same of any number each.
inline void scatter(const F64* values, int n, const Bits64& good, std::ptrdiff_t begin,
                    std::ptrdiff_t end, double* out) {
    const int here = end - begin < lanes ? static_cast<int>(end - begin) : lanes;
    for (int k = 0; k < n; ++k) {
        alignas(64) double v[lanes];
        store(pick(good, values[k], all(nan)), v);
        for (int l = 0; l < here; ++l) out[(begin + l) * n + k] = v[l];
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
        // Of two views both are seen, or nothing is reported.
        const Bits64 seen = known == 2 ? zero < one : block.seen[c] > zero;
        const F64 distance2 = r.du * r.du + r.dv * r.dv;
        error[c] = pick(seen, root(distance2), all(nan));
        sum = sum + pick(seen, distance2, zero);
        front = pick(~seen | (all(task.facing[c]) * r.depth > zero), front, zero);
        if (task.covariance != nullptr) {
            const F64 inverse = X[3] * r.inverse;
            if (known == 2 && !(task.robust_px < infinity)) {
                normal.add(p, block.uv + 2 * c, r, inverse, one);
                continue;
            }
            F64 weight = one;
            if (task.robust_px < infinity)
                weight = one / larger(one, error[c] * all(1.0 / task.robust_px));
            normal.add(p, block.uv + 2 * c, r, inverse, pick(seen, weight, zero));
        }
    }
    F64 code = all(ok);
    code = pick(settled, code, all(not_converged));
    code = pick(angle < all(task.least_angle_rad), all(small_angle), code);
    code = pick(front > zero, code, all(behind_camera));
    code = pick(parallel, pick(angle > one, all(small_angle), all(at_infinity)), code);
    code = pick(count < all(2.0), all(too_few_views), code);
    const Bits64 good = code == all(ok);
    alignas(64) double codes[lanes];
    store(code, codes);
    const int here = end - begin < lanes ? static_cast<int>(end - begin) : lanes;
    for (int l = 0; l < here; ++l) task.status[begin + l] = static_cast<std::uint8_t>(codes[l]);
    const F64 mean = root(known == 2 ? sum * all(0.5) : sum / count);
    const F64 unit = one / X[3], place[3] = {X[0] * unit, X[1] * unit, X[2] * unit};
    scatter<3>(place, good, begin, end, task.X_world);
    scatter<1>(&mean, good, begin, end, task.reprojection_px);
    if constexpr (known == 2)
        scatter<2>(error, good, begin, end, task.view_error_px);
    else
        scatter(error, n, good, begin, end, task.view_error_px);
    scatter<1>(&angle, count > one, begin, end, task.angle_rad);
    if (task.covariance == nullptr) return;
    F64 covariance[9];
    invert(normal.h, task.sigma_px, covariance);
    scatter<9>(covariance, good, begin, end, task.covariance);
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
            dlt(task, moved, count, block, X);
        } else {
            dlt(task, block.uv, count, block, X);
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
