// The direction that a few equations in four unknowns leave over, for the files in levels/: one
// set of equations per lane.
#pragma once

#include "core/simd/vec64.hpp"

namespace {

/// Rows of four coefficients to upper triangular form, in place, by Householder reflections: the
/// same solution, without squaring the condition number as normal equations do.
inline void triangularise(F64* a, int rows) {
    const int columns = rows > 4 ? 4 : 3;
#pragma GCC unroll 4
    for (int k = 0; k < columns; ++k) {
        F64 sum = a[4 * k + k] * a[4 * k + k];
        for (int i = k + 1; i < rows; ++i) sum = sum + a[4 * i + k] * a[4 * i + k];
        const F64 length = root(sum);
        const F64 pivot = a[4 * k + k];
        const F64 away = pick(pivot < all(0.0), -length, length);
        const F64 head = pivot + away;
        const F64 scale = pick(sum > all(0.0), all(1.0) / (away * head), all(0.0));
        for (int j = k + 1; j < 4; ++j) {
            F64 dot = head * a[4 * k + j];
            for (int i = k + 1; i < rows; ++i) dot = dot + a[4 * i + k] * a[4 * i + j];
            const F64 factor = dot * scale;
            a[4 * k + j] = a[4 * k + j] - factor * head;
            for (int i = k + 1; i < rows; ++i) a[4 * i + j] = a[4 * i + j] - factor * a[4 * i + k];
        }
        a[4 * k + k] = -away;
    }
}

inline F64 dot4(const F64* a, const F64* b) {
    return (a[0] * b[0] + a[1] * b[1]) + (a[2] * b[2] + a[3] * b[3]);
}

/// Takes z for x, as long as x but for what is of second order in the change, in lanes that are not
/// `done`. Returns the square of the change.
inline F64 take_step(const F64* z, const Bits64& done, F64* x, F64& size2) {
    size2 = dot4(x, x);
    const F64 scale = size2 / dot4(x, z);
    F64 change2 = all(0.0);
    for (int i = 0; i < 4; ++i) {
        const F64 next = z[i] * scale;
        change2 = change2 + (next - x[i]) * (next - x[i]);
        x[i] = pick(done, x[i], next);
    }
    return change2;
}

constexpr int most_steps_inverse = 8;
constexpr double settled2 = 1e-26;  // of the squared length: what a last step may leave

/// Inverse iteration with R'R, scaled by the square of the last pivot so that nothing is divided
/// by it: where the equations agree exactly it is 0. Returns the lanes that have settled.
inline Bits64 inverse_iteration(const F64* r, F64* x) {
    const F64 d0 = all(1.0) / r[0], d1 = all(1.0) / r[5], d2 = all(1.0) / r[10];
    const F64 last2 = r[15] * r[15];
    x[3] = all(1.0);
    x[2] = -(r[11] * d2);
    x[1] = -((r[6] * x[2] + r[7]) * d1);
    x[0] = -((r[1] * x[1] + r[2] * x[2] + r[3]) * d0);
    Bits64 done = last2 < all(0.0);
    for (int step = 0; step < most_steps_inverse && any(~done); ++step) {
        const F64 y0 = x[0] * d0;
        const F64 y1 = (x[1] - r[1] * y0) * d1;
        const F64 y2 = (x[2] - r[2] * y0 - r[6] * y1) * d2;
        F64 z[4];
        z[3] = x[3] - r[3] * y0 - r[7] * y1 - r[11] * y2;
        z[2] = (last2 * y2 - r[11] * z[3]) * d2;
        z[1] = (last2 * y1 - r[6] * z[2] - r[7] * z[3]) * d1;
        z[0] = (last2 * y0 - r[1] * z[1] - r[2] * z[2] - r[3] * z[3]) * d0;
        // What is left is less than the change, by the ratio of the two smallest singular values
        // squared.
        F64 size2;
        const F64 change2 = take_step(z, done, x, size2);
        done = done | (change2 < size2 * all(100.0 * settled2));
    }
    return done;
}

/// The same from the normal matrix, without a root and with half the divisions, for the lanes whose
/// condition is good enough to be squared. `m` is its upper triangle by rows. Returns those lanes.
inline Bits64 from_normal_matrix(const F64* m, F64* x) {
    constexpr double least_share = 1e-6;  // of the trace: the third eigenvalue
    const F64 i0 = all(1.0) / m[0];
    const F64 l1 = m[1] * i0, l2 = m[2] * i0, l3 = m[3] * i0;
    const F64 d1 = m[4] - l1 * m[1], i1 = all(1.0) / d1;
    const F64 e2 = m[5] - l1 * m[2], e3 = m[6] - l1 * m[3], k2 = e2 * i1, k3 = e3 * i1;
    const F64 d2 = m[7] - l2 * m[2] - k2 * e2, i2 = all(1.0) / d2;
    const F64 f3 = m[8] - l2 * m[3] - k2 * e3, n3 = f3 * i2;
    const F64 d3 = larger(m[9] - l3 * m[3] - k3 * e3 - n3 * f3, all(0.0));
    // The third eigenvalue is at least the least one of the leading 3 x 3 (interlacing), and that
    // is at least the determinant over the square of half the trace; the fourth is at most d3.
    const F64 sum3 = m[0] + m[4] + m[7], sum3_2 = sum3 * sum3;
    const F64 volume = all(4.0) * (m[0] * d1 * d2);
    const Bits64 good = volume > all(least_share) * ((sum3 + m[9]) * sum3_2);
    const F64 ratio = d3 * sum3_2, ratio2 = ratio * ratio, limit = volume * volume * all(settled2);
    x[3] = all(1.0);
    x[2] = -n3;
    x[1] = -(k2 * x[2] + k3);
    x[0] = -(l1 * x[1] + l2 * x[2] + l3);
    Bits64 done = ~good;
    const F64 s0 = d3 * i0, s1 = d3 * i1, s2 = d3 * i2;
    for (int step = 0; step < most_steps_inverse && any(~done); ++step) {
        const F64 y1 = x[1] - l1 * x[0];
        const F64 y2 = x[2] - l2 * x[0] - k2 * y1;
        F64 z[4];
        z[3] = x[3] - l3 * x[0] - k3 * y1 - n3 * y2;
        z[2] = s2 * y2 - n3 * z[3];
        z[1] = s1 * y1 - k2 * z[2] - k3 * z[3];
        z[0] = s0 * x[0] - l1 * z[1] - l2 * z[2] - l3 * z[3];
        F64 size2;
        const F64 change2 = take_step(z, done, x, size2);
        done = done | (change2 * ratio2 < size2 * limit);
    }
    return done & good;
}

/// One-sided Jacobi: slower, and right also where no singular value stands out.
inline void jacobi(const F64* r, F64* x) {
    constexpr int sweeps = 10;
    F64 b[4][4], v[4][4];
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            b[i][j] = i <= j ? r[4 * i + j] : all(0.0);
            v[i][j] = all(i == j ? 1.0 : 0.0);
        }
    for (int sweep = 0; sweep < sweeps; ++sweep)
        for (int p = 0; p < 3; ++p)
            for (int q = p + 1; q < 4; ++q) {
                F64 pp = all(0.0), qq = all(0.0), pq = all(0.0);
                for (int i = 0; i < 4; ++i) {
                    pp = pp + b[i][p] * b[i][p];
                    qq = qq + b[i][q] * b[i][q];
                    pq = pq + b[i][p] * b[i][q];
                }
                const F64 zeta = (qq - pp) / (pq + pq);
                const F64 t = all(1.0) / (absolute(zeta) + root(all(1.0) + zeta * zeta));
                const F64 tan = pick(pq == all(0.0), all(0.0), pick(zeta < all(0.0), -t, t));
                const F64 cos = all(1.0) / root(all(1.0) + tan * tan), sin = cos * tan;
                for (int i = 0; i < 4; ++i) {
                    const F64 bp = b[i][p], vp = v[i][p];
                    b[i][p] = cos * bp - sin * b[i][q];
                    b[i][q] = sin * bp + cos * b[i][q];
                    v[i][p] = cos * vp - sin * v[i][q];
                    v[i][q] = sin * vp + cos * v[i][q];
                }
            }
    F64 least = all(0.0);
    for (int j = 0; j < 4; ++j) {
        F64 size = all(0.0);
        for (int i = 0; i < 4; ++i) size = size + b[i][j] * b[i][j];
        const Bits64 smaller = j == 0 ? all(0.0) < all(1.0) : size < least;
        least = pick(smaller, size, least);
        for (int i = 0; i < 4; ++i) x[i] = pick(smaller, v[i][j], x[i]);
    }
}

/// The direction x of unit vectors that makes the sum of squares of `rows` equations least: the
/// right singular vector of the smallest singular value, of any length. Overwrites the equations.
inline void least_direction(F64* equations, int rows, F64* x) {
    triangularise(equations, rows);
    const Bits64 done = inverse_iteration(equations, x);
    if (!any(~done)) return;
    F64 slow[4] = {x[0], x[1], x[2], x[3]};
    jacobi(equations, slow);
    for (int i = 0; i < 4; ++i) x[i] = pick(done, x[i], slow[i]);
}

}  // namespace
