// The direction that two views leave over, for the files in levels/: four equations in four
// unknowns, of which the first view's are triangular in the axes of `ViewPair`. One point per lane.
#pragma once

#include "core/simd/triangulate.hpp"
#include "core/simd/vec64.hpp"

namespace {

using trackcore::simd::ViewPair;

constexpr int most_steps_pair = 8;
constexpr double steepest2 = 1e4;        // of a ray's slope, squared: more would cost digits
constexpr double settled_pair2 = 1e-18;  // of the squared length: what the last step may change

/// The four equations reduced: view 0 says that X is (1, g1, g2, 0) times something plus (0, 0, 0,
/// 1) times something; `s` are view 1's two equations along these two, `e` those along axes 1
/// and 2.
struct PairEquations {
    F64 g1, g2, s00, s01, s10, s11, e00, e01, e10, e11, det;

    PairEquations(const ViewPair& pair, const F64* uv) {
        const double* p = pair.P1;
        g1 = uv[0] * all(pair.slope[0]) - all(pair.slope[1]);
        g2 = uv[1] * all(pair.slope[2]) - (all(pair.slope[3]) + all(pair.slope[4]) * g1);
        F64 q[3];
        for (int i = 0; i < 3; ++i)
            q[i] = all(p[4 * i]) + (all(p[4 * i + 1]) * g1 + all(p[4 * i + 2]) * g2);
        s00 = uv[2] * q[2] - q[0];
        s10 = uv[3] * q[2] - q[1];
        s01 = uv[2] * all(p[11]) - all(p[3]);
        s11 = uv[3] * all(p[11]) - all(p[7]);
        e00 = uv[2] * all(p[9]) - all(p[1]);
        e01 = uv[2] * all(p[10]) - all(p[2]);
        e10 = uv[3] * all(p[9]) - all(p[5]);
        e11 = uv[3] * all(p[10]) - all(p[6]);
        det = s00 * s11 - s01 * s10;
    }

    /// The inverse of A'A times x, times the square of `det`, so that nothing is divided by it:
    /// where the rays meet it is 0.
    void invert(const ViewPair& pair, const F64* x, F64* z) const {
        const F64 w = x[0] + (g1 * x[1] + g2 * x[2]);
        finish(pair, s11 * w - s10 * x[3], s00 * x[3] - s01 * w, det * x[1], det * x[2], z);
    }
    /// The same of the first axis.
    void invert_first(const ViewPair& pair, F64* z) const {
        finish(pair, s11, -s01, all(0.0), all(0.0), z);
    }

  private:
    void finish(const ViewPair& pair, const F64& y0, const F64& y1, const F64& x1, const F64& x2,
                F64* z) const {
        const F64 t1 = x1 - (e00 * y0 + e10 * y1), t2 = x2 - (e01 * y0 + e11 * y1);
        const F64 h1 = all(pair.inverse[0]) * t1 + all(pair.inverse[1]) * t2;
        const F64 h2 = all(pair.inverse[1]) * t1 + all(pair.inverse[2]) * t2;
        const F64 k0 = y0 - (e00 * h1 + e01 * h2), k1 = y1 - (e10 * h1 + e11 * h2);
        z[0] = s11 * k0 - s01 * k1;
        z[1] = det * h1 + g1 * z[0];
        z[2] = det * h2 + g2 * z[0];
        z[3] = s00 * k1 - s10 * k0;
    }
};

/// Squared change of direction from x to z, compared by their first coordinates; true where small.
inline Bits64 same_direction(const F64* x, const F64* z) {
    const F64 first = x[0] * z[0], fourth = x[3] * z[3];
    F64 change2 = all(0.0);
    for (int k = 1; k < 4; ++k) {
        const F64 d = z[k] * x[0] - x[k] * z[0];
        change2 = change2 + d * d;
    }
    return change2 < all(settled_pair2) * (first * first + fourth * fourth);
}

/// The X that makes the sum of squares of both views' equations least, of any length, by inverse
/// iteration on the equations themselves. Returns the lanes that have settled.
inline Bits64 pair_direction(const ViewPair& pair, const F64* uv, F64* X) {
    const PairEquations a(pair, uv);
    F64 x[4], z[4];
    a.invert_first(pair, x);
    a.invert(pair, x, z);
    a.invert(pair, z, x);
    Bits64 done = same_direction(z, x);
    const Bits64 usable = (a.g1 * a.g1 + a.g2 * a.g2) < all(steepest2);
    for (int step = 0; step < most_steps_pair && any(usable & ~done); ++step) {
        a.invert(pair, x, z);
        const Bits64 now = same_direction(x, z);
        const F64 scale = all(1.0) / (absolute(z[0]) + absolute(z[3]));
        for (int k = 0; k < 4; ++k) x[k] = pick(done, x[k], z[k] * scale);
        done = done | now;
    }
    for (int i = 0; i < 4; ++i)
        X[i] = (all(pair.axes[4 * i]) * x[0] + all(pair.axes[4 * i + 1]) * x[1]) +
               (all(pair.axes[4 * i + 2]) * x[2] + all(pair.axes[4 * i + 3]) * x[3]);
    return done & usable;
}

}  // namespace
