#include "core/frame_motion.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/order.hpp"
#include "core/threads.hpp"

namespace trackcore {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double least_rms_px = 1e-3;     // finer than any tracker: exact tracks have no noise
constexpr double kept_share = 2.0 / 3.0;  // of the tracks: a third may move on their own
constexpr double most_share = 0.9;        // of the tracks: mismatches left out
constexpr int epipole_steps = 5;
constexpr int pairs_at_a_time = 8;

ModelRow in_pixels(const MotionFit& fit, double length_px) {
    ModelRow row;
    std::copy_n(fit.H.m, 9, row.H);
    row.H[2] *= length_px;
    row.H[5] *= length_px;
    row.H[6] /= length_px;
    row.H[7] /= length_px;
    row.rms_px = fit.rms * length_px;
    row.inliers = fit.inliers;
    row.sigma_shift_px = fit.sigma_shift * length_px;
    row.sigma_turn = fit.sigma_turn;
    return row;
}

/// The largest of the smallest `share` of squares, and the root of their mean.
struct Trimmed {
    double largest = nan, rms = nan;
};

Trimmed trimmed(std::span<const double> squares, double share, std::vector<double>& scratch) {
    if (squares.empty()) return {};
    const auto kept =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(squares.size())));
    const double largest = nth_smallest(squares, kept - 1, scratch);
    double sum = 0.0;
    std::size_t below = 0;
    for (const double value : squares) {
        sum += value < largest ? value : 0.0;
        below += value < largest;
    }
    sum += static_cast<double>(kept - below) * largest;
    return {largest, std::sqrt(sum / static_cast<double>(kept))};
}

void gather(const TrackView& tracks, FramePair pair, Vec2 center, double length,
            MatchedPoints& points) {
    points.clear();
    const double unit = 1.0 / length;
    for (std::int64_t k = 0; k < tracks.n_tracks; ++k) {
        const Vec2 from = tracks.track(k)[pair.from], to = tracks.track(k)[pair.to];
        if (std::isnan(from.x) || std::isnan(to.x)) continue;
        points.push({(from.x - center.x) * unit, (from.y - center.y) * unit},
                    {(to.x - center.x) * unit, (to.y - center.y) * unit});
    }
    points.pad();
}

/// What a model leaves over at one point: where the model says it is, and what is missing.
struct Leftover {
    double x, y, rx, ry;
};

std::vector<Leftover> leftovers(const Mat3& H, const MatchedPoints& p, double largest_r2) {
    const double* h = H.m;
    std::vector<Leftover> left;
    left.reserve(p.size());
    double sum_x = 0.0, sum_y = 0.0, sum2 = 0.0;
    for (std::size_t k = 0; k < p.size(); ++k) {
        if (p.r2[k] > largest_r2) continue;
        const double x = p.x[k], y = p.y[k], d = 1.0 / (h[6] * x + h[7] * y + 1.0);
        const double qx = (h[0] * x + h[1] * y + h[2]) * d;
        const double qy = (h[3] * x + h[4] * y + h[5]) * d;
        left.push_back({qx, qy, p.u[k] - qx, p.v[k] - qy});
        sum_x += qx;
        sum_y += qy;
        sum2 += qx * qx + qy * qy;
    }
    // About their own middle and of unit size: else the epipole is drawn to the points.
    const double n = static_cast<double>(left.size());
    const double mx = sum_x / n, my = sum_y / n;
    const double unit = std::sqrt(std::max(sum2 / n - mx * mx - my * my, 1e-12));
    for (Leftover& l : left) l = {(l.x - mx) / unit, (l.y - my) / unit, l.rx, l.ry};
    return left;
}

/// Largest share of the residuals' energy that points to one point; `r2` holds their squares.
double epipolar_share(const Mat3& H, const MatchedPoints& p, double largest_r2) {
    const std::vector<Leftover> left = leftovers(H, p, largest_r2);
    double energy = 0.0, best = 0.0;
    for (const Leftover& l : left) energy += l.rx * l.rx + l.ry * l.ry;
    if (!(energy > 0.0)) return nan;
    Eigen::Vector3d epipole(0.0, 0.0, 0.0);
    for (int step = 0; step <= epipole_steps; ++step) {
        Eigen::Matrix3d N = Eigen::Matrix3d::Zero();
        double across = 0.0;
        for (const Leftover& l : left) {
            // Residual x (epipole - q) = 0, in homogeneous coordinates of the epipole.
            const Eigen::Vector3d row(-l.ry, l.rx, l.ry * l.x - l.rx * l.y);
            const double ex = epipole[0] - l.x * epipole[2], ey = epipole[1] - l.y * epipole[2];
            const double weight = step == 0 ? 1.0 : 1.0 / std::max(ex * ex + ey * ey, 1e-12);
            N += weight * row * row.transpose();
            const double miss = row.dot(epipole);
            across += weight * miss * miss;
        }
        if (step > 0) best = std::max(best, 1.0 - across / energy);
        if (step == 0) {  // an epipole at infinity: the least of the residuals' own directions
            const Eigen::SelfAdjointEigenSolver<Eigen::Matrix2d> plane(N.topLeftCorner<2, 2>());
            best = 1.0 - plane.eigenvalues()[0] / energy;
        }
        epipole = Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d>(N).eigenvectors().col(0);
    }
    return best;
}

PairRow measure(MatchedPoints& points, double length_px, bool epipoles) {
    const MotionFits fits = fit_motion(points, least_rms_px / length_px);
    PairRow row;
    row.n_common = static_cast<double>(points.size());
    row.similarity = in_pixels(fits.similarity, length_px);
    row.affine = in_pixels(fits.affine, length_px);
    row.homography = in_pixels(fits.homography, length_px);
    motion_residuals({}, points);  // to the identity: the displacements
    const auto distances2 = points.distances2();
    row.flow_px = trimmed(distances2, kept_share, points.scratch).rms * length_px;
    row.residual_px = row.spread_px = row.epipolar_share = nan;
    for (const MotionFit* fit : {&fits.homography, &fits.affine, &fits.similarity}) {
        if (std::isnan(fit->rms)) continue;
        motion_residuals(fit->H, points);
        const Trimmed most = trimmed(distances2, most_share, points.scratch);
        row.residual_px = trimmed(distances2, kept_share, points.scratch).rms * length_px;
        row.spread_px = most.rms * length_px;
        if (epipoles) row.epipolar_share = epipolar_share(fit->H, points, most.largest);
        break;
    }
    return row;
}

}  // namespace

void frame_motion(const TrackView& tracks, std::span<const FramePair> pairs, Vec2 center_px,
                  double length_px, bool epipoles, int threads, PairRow* out) {
    parallel_for(static_cast<int>(pairs.size()), pairs_at_a_time, threads, [&](int begin, int end) {
        MatchedPoints points;
        for (int i = begin; i < end; ++i) {
            gather(tracks, pairs[static_cast<std::size_t>(i)], center_px, length_px, points);
            out[i] = measure(points, length_px, epipoles);
        }
    });
}

}  // namespace trackcore
