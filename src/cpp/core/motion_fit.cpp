#include "core/motion_fit.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

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

Moments moments(const MatchedPoints& p) {
    Moments m;
    for (std::size_t k = 0; k < p.size(); ++k) {
        const double w = p.weight[k], wx = w * p.x[k], wy = w * p.y[k];
        m.w += w;
        m.x += wx;
        m.y += wy;
        m.xx += wx * p.x[k];
        m.xy += wx * p.y[k];
        m.yy += wy * p.y[k];
        m.u += w * p.u[k];
        m.ux += wx * p.u[k];
        m.uy += wy * p.u[k];
        m.v += w * p.v[k];
        m.vx += wx * p.v[k];
        m.vy += wy * p.v[k];
    }
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
        double s[6] = {}, su[6] = {}, sv[6] = {}, sq[5] = {};
        for (std::size_t k = 0; k < p.size(); ++k) {
            const double x = p.x[k], y = p.y[k], u = p.u[k], v = p.v[k];
            const double d = from.m[6] * x + from.m[7] * y + 1.0;
            const double w = p.weight[k] / (d * d);
            const double q = u * u + v * v;
            const double products[6] = {w * x * x, w * x * y, w * y * y, w * x, w * y, w};
            for (int i = 0; i < 6; ++i) {
                s[i] += products[i];
                su[i] += products[i] * u;
                sv[i] += products[i] * v;
            }
            for (int i = 0; i < 5; ++i) sq[i] += products[i] * q;
        }
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
    p.sorted = p.r2;
    const auto middle = p.sorted.begin() + static_cast<std::ptrdiff_t>(p.size() / 2);
    std::nth_element(p.sorted.begin(), middle, p.sorted.end());
    const double n2 = 2.0 * static_cast<double>(p.size());
    const double correction = std::sqrt(n2 / std::max(1.0, n2 - freedom));
    return std::max(least, std::sqrt(*middle) / rayleigh_median * correction);
}

void absolute_weights(MatchedPoints& p, double least) {
    const double least2 = least * least;
    for (std::size_t k = 0; k < p.size(); ++k)
        p.weight[k] = least / std::sqrt(std::max(p.r2[k], least2));
}

void tukey_weights(MatchedPoints& p, double scale) {
    const double cut2 = tukey_cut * tukey_cut * scale * scale;
    for (std::size_t k = 0; k < p.size(); ++k) {
        const double t = std::max(0.0, 1.0 - p.r2[k] / cut2);
        p.weight[k] = t * t;
    }
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
    for (const double r2 : p.r2) {
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
    std::fill(p.weight.begin(), p.weight.end(), 1.0);
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
}

void MatchedPoints::push(Vec2 from, Vec2 to) {
    x.push_back(from.x);
    y.push_back(from.y);
    u.push_back(to.x);
    v.push_back(to.y);
}

void motion_residuals(const Mat3& H, MatchedPoints& p) {
    const double* h = H.m;
    p.r2.resize(p.size());
    for (std::size_t k = 0; k < p.size(); ++k) {
        const double x = p.x[k], y = p.y[k], d = 1.0 / (h[6] * x + h[7] * y + 1.0);
        const double ru = (h[0] * x + h[1] * y + h[2]) * d - p.u[k];
        const double rv = (h[3] * x + h[4] * y + h[5]) * d - p.v[k];
        p.r2[k] = ru * ru + rv * rv;
    }
}

MotionFits fit_motion(MatchedPoints& p, double least) {
    MotionFits fits{undetermined(), undetermined(), undetermined()};
    p.weight.resize(p.size());
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
