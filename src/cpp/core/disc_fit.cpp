#include "core/disc_fit.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

TRACKCORE_DEFINE_KERNELS(DiscKernels, disc_kernels)

namespace trackcore {
namespace {

using simd::BallShape;
using simd::FitWindow;

constexpr int most_parameters = simd::fit_parameters;
constexpr int most_iterations = 12;
constexpr double near_px = 2e-3;      // a shorter step ends the fit,
constexpr double near_sigmas = 0.01;  // or one that gains less than this, in squared sigmas
constexpr double usual_soft = 0.7, soft_sigma = 0.5;  // known before any pixel is seen
constexpr double start_soft = 1.0;  // wide enough to see an edge that is a pixel away
constexpr float least_soft = 0.3f, most_soft = 6.0f;  // a pixel's own width; worst defocus

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, most_parameters, most_parameters>;
using Vector = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, most_parameters, 1>;

struct Normal {
    Matrix a;
    Vector b;
    double energy;  // of what is left
};

/// Sums over the part of the window the ball can reach, and over all of it where the level of the
/// background is sought.
void evaluate(const FitWindow& window, const BallShape& shape, bool is_streak,
              const DiscFitOptions& options, Normal& out) {
    const auto& kernels = simd::disc_kernels();
    float sums[simd::fit_sums(most_parameters)];
    const int n = is_streak ? most_parameters : simd::disc_parameters;
    (is_streak ? kernels.streak : kernels.disc)(window, shape, sums);
    out.a.resize(n, n);
    out.b.resize(n);
    int at = 0;
    for (int i = 0; i < n; ++i)
        for (int j = i; j < n; ++j) out.a(i, j) = out.a(j, i) = static_cast<double>(sums[at++]);
    for (int i = 0; i < n; ++i) out.b(i) = static_cast<double>(sums[at++]);
    out.energy = static_cast<double>(sums[at]);
    // Noise alone makes an edge neither sharp nor wide.
    const double off = usual_soft - static_cast<double>(shape.soft);
    const double weight = options.noise * options.noise / (soft_sigma * soft_sigma);
    out.a(simd::fit_soft, simd::fit_soft) += weight;
    out.b(simd::fit_soft) += weight * off;
    out.energy += weight * off * off;
    if (options.offset) return;
    out.a.row(simd::fit_offset).setZero();
    out.a.col(simd::fit_offset).setZero();
    out.a(simd::fit_offset, simd::fit_offset) = 1.0;
    out.b(simd::fit_offset) = 0.0;
}

BallShape stepped(const BallShape& shape, const Vector& step, bool is_streak,
                  const DiscFitOptions& options) {
    BallShape next = shape;
    next.level += static_cast<float>(step(simd::fit_level));
    next.offset += static_cast<float>(step(simd::fit_offset));
    next.x += static_cast<float>(step(simd::fit_x));
    next.y += static_cast<float>(step(simd::fit_y));
    const auto bounded = [](double value, double lo, double hi) {
        return static_cast<float>(std::clamp(value, lo, hi));
    };
    const double r = static_cast<double>(shape.radius), soft = static_cast<double>(shape.soft);
    // no more than by half at once: far from the answer a step can be anything
    const double dr = std::clamp(step(simd::fit_radius), -0.5 * r, 0.5 * r);
    next.radius = bounded(r + dr, 0.7 * options.least_radius, 1.5 * options.most_radius);
    const double dsoft = std::clamp(step(simd::fit_soft), -0.5 * soft, 0.5 * soft);
    next.soft = bounded(
        soft + dsoft, static_cast<double>(least_soft),
        std::min<double>(static_cast<double>(most_soft), 0.9 * static_cast<double>(next.radius)));
    next.soft = std::max(next.soft, least_soft);
    if (!is_streak) return next;
    const double h = static_cast<double>(shape.half);
    next.half = bounded(h + std::clamp(step(simd::fit_half), -0.5 * h, 0.5 * h), 0.2,
                        1.5 * options.most_half);
    const double turn = std::clamp(step(simd::fit_turn), -0.5, 0.5);
    const float cos = static_cast<float>(std::cos(turn)), sin = static_cast<float>(std::sin(turn));
    next.along_x = shape.along_x * cos - shape.along_y * sin;
    next.along_y = shape.along_x * sin + shape.along_y * cos;
    return next;
}

/// What the step really taken should gain: bounds may have cut it.
double gain(const Normal& normal, const BallShape& a, const BallShape& b) {
    const auto along = [&](int parameter, float from, float to) {
        return normal.b(parameter) * static_cast<double>(to - from);
    };
    double total = along(simd::fit_level, a.level, b.level) + along(simd::fit_x, a.x, b.x) +
                   along(simd::fit_y, a.y, b.y) + along(simd::fit_radius, a.radius, b.radius) +
                   along(simd::fit_soft, a.soft, b.soft) +
                   along(simd::fit_offset, a.offset, b.offset);
    if (normal.b.size() > simd::disc_parameters) total += along(simd::fit_half, a.half, b.half);
    return total;
}

double moved(const BallShape& a, const BallShape& b) {
    return static_cast<double>(
        std::max({std::abs(a.x - b.x), std::abs(a.y - b.y), std::abs(a.radius - b.radius),
                  std::abs(a.half - b.half)}));
}

/// Sum of (image - base)^2: what there is to explain.
double energy_of(const FitWindow& window) {
    double total = 0.0;
    for (int y = 0; y < window.height; ++y) {
        const float *now = window.now + y * window.stride, *base = window.base + y * window.stride;
        float row = 0.0f;
        for (int x = 0; x < window.width; ++x) row += (now[x] - base[x]) * (now[x] - base[x]);
        total += static_cast<double>(row);
    }
    return total;
}

}  // namespace

DiscFit fit_disc(const FitWindow& window, const BallShape& start, const DiscFitOptions& options) {
    const bool is_streak = start.half > 0.0f;
    DiscFit fit{};
    BallShape shape = start;
    shape.offset = 0.0f;
    shape.soft = static_cast<float>(
        std::min(start_soft, std::max(0.5, 0.9 * static_cast<double>(start.radius))));
    Normal normal, trial;
    evaluate(window, shape, is_streak, options, normal);
    const long pixels = static_cast<long>(window.width) * window.height;
    fit.work = pixels;
    double damping = 1e-4;
    bool converged = false;
    double last_gain = 1e300;  // of the last good step, in squared sigmas
    for (int i = 0; i < most_iterations && !converged; ++i) {
        Matrix a = normal.a;
        a.diagonal() *= 1.0 + damping;
        a.diagonal().array() += 1e-9 * a.diagonal().maxCoeff();
        const Vector step = a.ldlt().solve(normal.b);
        if (!step.allFinite()) break;
        const BallShape next = stepped(shape, step, is_streak, options);
        evaluate(window, next, is_streak, options, trial);
        fit.work += pixels;
        const double enough = near_sigmas * normal.energy / static_cast<double>(pixels);
        const bool small = moved(shape, next) < near_px || gain(normal, shape, next) < enough;
        if (trial.energy <= normal.energy) {
            converged = small;
            last_gain = (normal.energy - trial.energy) * static_cast<double>(pixels) /
                        std::max(trial.energy, 1e-9);
            shape = next;
            std::swap(normal, trial);
            damping = std::max(damping * 0.1, 1e-7);
        } else {
            // where no step helps, this is the place
            converged = small;
            damping = std::max(damping * 20.0, 1e-3);
        }
    }
    fit.shape = shape;
    const double n_free = static_cast<double>(pixels - normal.b.size());
    const double variance = n_free > 0 ? normal.energy / n_free : normal.energy;
    fit.error = std::sqrt(variance);
    const double total = energy_of(window);
    const double chance = options.noise * options.noise * static_cast<double>(pixels);
    fit.explained = total > chance
                        ? std::clamp(1.0 - (normal.energy - chance) / (total - chance), 0.0, 1.0)
                        : 0.0;
    Matrix a = normal.a;
    a.diagonal().array() += 1e-9 * a.diagonal().maxCoeff();
    const Matrix inverse = a.ldlt().solve(Matrix::Identity(a.rows(), a.cols()));
    const double per_pixel = std::max(variance, options.noise * options.noise);
    fit.covariance[0] = per_pixel * inverse(simd::fit_x, simd::fit_x);
    fit.covariance[1] = per_pixel * inverse(simd::fit_x, simd::fit_y);
    fit.covariance[2] = per_pixel * inverse(simd::fit_y, simd::fit_y);
    const double r = static_cast<double>(shape.radius);
    const double off =
        std::hypot(static_cast<double>(shape.x - start.x), static_cast<double>(shape.y - start.y));
    fit.ok = (converged || last_gain < 0.3) && std::isfinite(fit.covariance[0]) &&
             fit.covariance[0] > 0.0 && fit.covariance[2] > 0.0 && r >= options.least_radius &&
             r <= options.most_radius && off <= r + static_cast<double>(start.half);
    return fit;
}

}  // namespace trackcore
