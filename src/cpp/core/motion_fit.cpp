#include "core/motion_fit.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/order.hpp"
#include "core/simd/motion.hpp"

TRACKCORE_DEFINE_KERNELS(MotionKernels, motion_kernels)

namespace trackcore {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double rayleigh_median = 1.1774100225154747;  // sqrt(2 ln 2)
constexpr double tukey_cut = 5.0;                       // robust standard deviations
constexpr double inlier_cut = 3.5;  // beyond it lie 2 of 1000 distances of normal noise
constexpr int absolute_steps = 5, tukey_steps = 3;
constexpr double least_pivot = 1e-11;  // of unit-sized coordinates: points on one line

using Eigen::Matrix;

/// Weighted sums of products of coordinates: all that the three models' equations are made of.
struct Moments {
    double w = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    double u = 0, ux = 0, uy = 0, v = 0, vx = 0, vy = 0;
};

simd::WeightedPoints view(const MatchedPoints& p) {
    return {p.x.data(), p.y.data(),      p.u.data(),
            p.v.data(), p.weight.data(), static_cast<std::ptrdiff_t>(p.weight.size())};
}

Moments moments(const MatchedPoints& p) {
    static_assert(sizeof(Moments) == 12 * sizeof(double));
    Moments m;
    simd::motion_kernels().affine_sums(view(p), &m.w);
    return m;
}

/// What a solve gave; with `ok` false the equations were singular.
struct Solved {
    Mat3 H;
    double var_shift = nan, var_turn = nan;  ///< for noise of variance 1 per axis
    bool ok = false;
};

struct SimilarityModel {
    static constexpr int freedom = 4;
    static constexpr std::size_t least_points = 3;

    static Solved solve(const MatchedPoints& p, const Mat3&) {
        const Moments m = moments(p);
        Solved s;
        const double cx = m.x / m.w, cy = m.y / m.w;
        const double spread = m.xx + m.yy - m.w * (cx * cx + cy * cy);
        if (!(spread > least_pivot * m.w)) return s;
        const double a = (m.ux + m.vy - cx * m.u - cy * m.v) / spread;
        const double b = (m.vx - m.uy - cx * m.v + cy * m.u) / spread;
        s.H = {{a, -b, m.u / m.w - a * cx + b * cy, b, a, m.v / m.w - b * cx - a * cy, 0, 0, 1}};
        s.var_turn = 1.0 / (spread * (a * a + b * b));
        s.var_shift = 1.0 / m.w + (cx * cx + cy * cy) / spread;
        s.ok = true;
        return s;
    }
};

struct AffineModel {
    static constexpr int freedom = 6;
    static constexpr std::size_t least_points = 4;

    static Solved solve(const MatchedPoints& p, const Mat3&) {
        const Moments m = moments(p);
        Matrix<double, 3, 3> N;
        N << m.xx, m.xy, m.x, m.xy, m.yy, m.y, m.x, m.y, m.w;
        Solved s;
        const Eigen::LDLT<Matrix<double, 3, 3>> solver(N);
        if (!(solver.vectorD().minCoeff() > least_pivot * m.w)) return s;
        const Eigen::Vector3d a = solver.solve(Eigen::Vector3d(m.ux, m.uy, m.u));
        const Eigen::Vector3d b = solver.solve(Eigen::Vector3d(m.vx, m.vy, m.v));
        s.H = {{a[0], a[1], a[2], b[0], b[1], b[2], 0, 0, 1}};
        const Eigen::Matrix3d C = solver.solve(Eigen::Matrix3d::Identity());
        s.var_turn = (C(0, 0) + C(1, 1)) / 4.0 / std::abs(a[0] * b[1] - a[1] * b[0]);
        s.var_shift = C(2, 2);
        s.ok = true;
        return s;
    }
};

struct HomographyModel {
    static constexpr int freedom = 8;
    static constexpr std::size_t least_points = 6;

    /// Unknown: what is added to the prediction `from`, whose denominators weight the equations.
    static Solved solve(const MatchedPoints& p, const Mat3& from) {
        Matrix<double, 8, 8> N = Matrix<double, 8, 8>::Zero();
        Matrix<double, 8, 1> rhs = Matrix<double, 8, 1>::Zero();
        accumulate(p, from, N, rhs);
        Solved s;
        const Eigen::LDLT<Matrix<double, 8, 8>> solver(N);
        if (!(solver.vectorD().minCoeff() > least_pivot * N(2, 2))) return s;
        const Matrix<double, 8, 1> h = solver.solve(rhs);
        s.H = {{h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], 1}};
        Matrix<double, 8, 1> turn = Matrix<double, 8, 1>::Zero(), shift = turn;
        turn[0] = turn[4] = 0.5;
        shift[2] = 1.0;
        s.var_turn = turn.dot(solver.solve(turn)) / std::abs(h[0] * h[4] - h[1] * h[3]);
        s.var_shift = shift.dot(solver.solve(shift));
        s.ok = true;
        return s;
    }

  private:
    static void accumulate(const MatchedPoints& p, const Mat3& from, Matrix<double, 8, 8>& N,
                           Matrix<double, 8, 1>& rhs) {
        double sums[23];
        simd::motion_kernels().plane_sums(view(p), from.m[6], from.m[7], sums);
        const double *s = sums, *su = sums + 6, *sv = sums + 12, *sq = sums + 18;
        const auto block = [](const double* m) {
            Matrix<double, 3, 3> B;
            B << m[0], m[1], m[3], m[1], m[2], m[4], m[3], m[4], m[5];
            return B;
        };
        const Matrix<double, 3, 3> A = block(s), U = block(su), V = block(sv);
        N.block<3, 3>(0, 0) = A;
        N.block<3, 3>(3, 3) = A;
        N.block<3, 2>(0, 6) = -U.leftCols<2>();
        N.block<3, 2>(3, 6) = -V.leftCols<2>();
        N.block<2, 3>(6, 0) = -U.topRows<2>();
        N.block<2, 3>(6, 3) = -V.topRows<2>();
        N.block<2, 2>(6, 6) << sq[0], sq[1], sq[1], sq[2];
        rhs << U.col(2), V.col(2), -sq[3], -sq[4];
    }
};

/// Robust standard deviation per axis of the distances in `r2`.
double robust_scale(MatchedPoints& p, int freedom, double least) {
    const double middle = nth_smallest(p.distances2(), p.size() / 2, p.scratch);
    const double n2 = 2.0 * static_cast<double>(p.size());
    const double correction = std::sqrt(n2 / std::max(1.0, n2 - freedom));
    return std::max(least, std::sqrt(middle) / rayleigh_median * correction);
}

void absolute_weights(MatchedPoints& p, double least) {
    simd::motion_kernels().absolute_weights(p.r2.data(), view(p).n, least, p.weight.data());
    std::fill(p.weight.begin() + static_cast<std::ptrdiff_t>(p.size()), p.weight.end(), 0.0);
}

void tukey_weights(MatchedPoints& p, double scale) {
    const double cut = tukey_cut * scale;
    simd::motion_kernels().tukey_weights(p.r2.data(), view(p).n, cut * cut, p.weight.data());
    std::fill(p.weight.begin() + static_cast<std::ptrdiff_t>(p.size()), p.weight.end(), 0.0);
}

MotionFit undetermined() {
    MotionFit fit;
    std::fill_n(fit.H.m, 9, nan);
    fit.rms = fit.sigma_shift = fit.sigma_turn = nan;
    return fit;
}

MotionFit judged(const Solved& s, MatchedPoints& p, int freedom, double least) {
    const double scale = robust_scale(p, freedom, least);
    const double cut2 = inlier_cut * inlier_cut * scale * scale;
    double sum = 0.0, n = 0.0;
    for (const double r2 : p.distances2()) {
        if (r2 > cut2) continue;
        sum += r2;
        n += 1.0;
    }
    MotionFit fit;
    fit.H = s.H;
    fit.inliers = n;
    fit.rms = 2.0 * n > freedom ? std::sqrt(sum / (2.0 * n - freedom)) : nan;
    fit.sigma_shift = fit.rms * std::sqrt(s.var_shift);
    fit.sigma_turn = fit.rms * std::sqrt(s.var_turn);
    return fit;
}

/// Refines a model from the distances and weights that are there; `start` predicts denominators.
template <class Model>
MotionFit fit(MatchedPoints& p, const Mat3& start, double least) {
    if (p.size() < Model::least_points) return undetermined();
    Solved solved;
    solved.H = start;
    for (int i = 0; i < tukey_steps; ++i) {
        solved = Model::solve(p, solved.H);
        if (!solved.ok) return undetermined();
        motion_residuals(solved.H, p);
        tukey_weights(p, robust_scale(p, Model::freedom, least));
    }
    solved = Model::solve(p, solved.H);
    if (!solved.ok) return undetermined();
    motion_residuals(solved.H, p);
    return judged(solved, p, Model::freedom, least);
}

/// Least absolute distances: leaves its weights as the start of the similarity.
bool start_similarity(MatchedPoints& p, double least) {
    std::fill_n(p.weight.begin(), p.size(), 1.0);
    for (int i = 0; i < absolute_steps; ++i) {
        const Solved solved = SimilarityModel::solve(p, {});
        if (!solved.ok) return false;
        motion_residuals(solved.H, p);
        absolute_weights(p, least);
    }
    return true;
}

}  // namespace

void MatchedPoints::clear() {
    for (auto* values : {&x, &y, &u, &v}) values->clear();
    count = 0;
}

void MatchedPoints::push(Vec2 from, Vec2 to) {
    x.push_back(from.x);
    y.push_back(from.y);
    u.push_back(to.x);
    v.push_back(to.y);
}

void MatchedPoints::pad() {
    count = x.size();
    const auto lanes = static_cast<std::size_t>(simd::motion_lanes);
    const std::size_t padded = (count + lanes - 1) / lanes * lanes;
    for (auto* values : {&x, &y, &u, &v}) values->resize(padded, 0.0);
    r2.assign(padded, 0.0);
    weight.assign(padded, 0.0);
}

void motion_residuals(const Mat3& H, MatchedPoints& p) {
    simd::motion_kernels().distances2(H.m, view(p), p.r2.data());
}

MotionFits fit_motion(MatchedPoints& p, double least) {
    MotionFits fits{undetermined(), undetermined(), undetermined()};
    if (p.size() < SimilarityModel::least_points || !start_similarity(p, least)) return fits;
    fits.similarity = fit<SimilarityModel>(p, {}, least);
    if (std::isnan(fits.similarity.H.m[0])) return fits;
    // A richer model may reach what the simpler one rejected: start with nothing rejected.
    motion_residuals(fits.similarity.H, p);
    absolute_weights(p, robust_scale(p, 0, least));
    fits.affine = fit<AffineModel>(p, {}, least);
    if (std::isnan(fits.affine.H.m[0])) return fits;
    motion_residuals(fits.affine.H, p);
    absolute_weights(p, robust_scale(p, 0, least));
    fits.homography = fit<HomographyModel>(p, fits.affine.H, least);
    return fits;
}

}  // namespace trackcore
