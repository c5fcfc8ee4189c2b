#include "core/disc_fit.hpp"

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
constexpr double start_soft = 0.8;  // wide enough to see an edge that is half a pixel off
constexpr float least_soft = 0.3f, most_soft = 6.0f;  // a pixel's own width; worst defocus

/// Normal equations of n parameters; small enough that plain loops beat a library.
struct Normal {
    int n;
    double a[most_parameters][most_parameters];
    double b[most_parameters];
    double energy;  // of what is left
};

constexpr float moments_per_px = 2.5f, most_half_by_moments = 24.0f;
constexpr int moments_per_pass = 3;  // take the time of one pass of the chord

using Vector = double[most_parameters];

/// a = L D L^T with a's diagonal raised by `damping` of itself. False where a is not positive.
class Factors {
  public:
    Factors(const Normal& normal, double damping) : n_(normal.n) {
        double most = 0.0;
        for (int i = 0; i < n_; ++i) most = std::max(most, normal.a[i][i]);
        for (int i = 0; i < n_; ++i) {
            for (int j = 0; j <= i; ++j) {
                double sum = normal.a[i][j];
                if (i == j) sum += damping * sum + 1e-9 * most;
                for (int k = 0; k < j; ++k) sum -= l_[i][k] * l_[j][k] * d_[k];
                if (i == j)
                    d_[i] = sum;
                else
                    l_[i][j] = sum / d_[j];
            }
            if (!(d_[i] > 0.0)) positive_ = false, d_[i] = 1.0;
        }
    }
    bool positive() const { return positive_; }
    void solve(const double* b, double* x) const {
        for (int i = 0; i < n_; ++i) {
            x[i] = b[i];
            for (int k = 0; k < i; ++k) x[i] -= l_[i][k] * x[k];
        }
        for (int i = n_; i-- > 0;) {
            x[i] /= d_[i];
            for (int k = i + 1; k < n_; ++k) x[i] -= l_[k][i] * x[k];
        }
    }

  private:
    int n_;
    bool positive_ = true;
    double l_[most_parameters][most_parameters], d_[most_parameters];
};

/// Sums over the part of the window the ball can reach, and over all of it where the level of the
/// background is sought.
void evaluate(const FitWindow& window, const BallShape& shape, bool is_streak, int moments,
              const DiscFitOptions& options, Normal& out) {
    const auto& kernels = simd::disc_kernels();
    float sums[simd::fit_sums(most_parameters)];
    const int all = is_streak ? most_parameters : simd::disc_parameters;
    const int n = is_streak || options.offset ? all : simd::fit_offset;  // without the offset
    if (moments > 0)
        kernels.streak_by_moments(window, shape, moments, sums);
    else
        (is_streak        ? kernels.streak
         : options.offset ? kernels.disc_and_offset
                          : kernels.disc)(window, shape, sums);
    out.n = all;
    int at = 0;
    for (int i = 0; i < n; ++i)
        for (int j = i; j < n; ++j) out.a[i][j] = out.a[j][i] = static_cast<double>(sums[at++]);
    for (int i = 0; i < n; ++i) out.b[i] = static_cast<double>(sums[at++]);
    out.energy = static_cast<double>(sums[at]);
    // Noise alone makes an edge neither sharp nor wide.
    const double off = usual_soft - static_cast<double>(shape.soft);
    const double weight = options.noise * options.noise / (soft_sigma * soft_sigma);
    out.a[simd::fit_soft][simd::fit_soft] += weight;
    out.b[simd::fit_soft] += weight * off;
    out.energy += weight * off * off;
    if (options.offset) return;
    for (int i = 0; i < all; ++i) out.a[i][simd::fit_offset] = out.a[simd::fit_offset][i] = 0.0;
    out.a[simd::fit_offset][simd::fit_offset] = 1.0;
    out.b[simd::fit_offset] = 0.0;
}

BallShape stepped(const BallShape& shape, const Vector& step, bool is_streak,
                  const DiscFitOptions& options) {
    BallShape next = shape;
    next.level += static_cast<float>(step[simd::fit_level]);
    next.offset += static_cast<float>(step[simd::fit_offset]);
    next.x += static_cast<float>(step[simd::fit_x]);
    next.y += static_cast<float>(step[simd::fit_y]);
    const auto bounded = [](double value, double lo, double hi) {
        return static_cast<float>(std::clamp(value, lo, hi));
    };
    const double r = static_cast<double>(shape.radius), soft = static_cast<double>(shape.soft);
    // no more than by half at once: far from the answer a step can be anything
    const double dr = std::clamp(step[simd::fit_radius], -0.5 * r, 0.5 * r);
    next.radius = bounded(r + dr, 0.7 * options.least_radius, 1.5 * options.most_radius);
    const double dsoft = std::clamp(step[simd::fit_soft], -0.5 * soft, 0.5 * soft);
    next.soft = bounded(
        soft + dsoft, static_cast<double>(least_soft),
        std::min<double>(static_cast<double>(most_soft), 0.9 * static_cast<double>(next.radius)));
    next.soft = std::max(next.soft, least_soft);
    if (!is_streak) return next;
    const double h = static_cast<double>(shape.half);
    next.half = bounded(h + std::clamp(step[simd::fit_half], -0.5 * h, 0.5 * h), 0.2,
                        1.5 * options.most_half);
    const double turn = std::clamp(step[simd::fit_turn], -0.5, 0.5);
    const float cos = static_cast<float>(std::cos(turn)), sin = static_cast<float>(std::sin(turn));
    next.along_x = shape.along_x * cos - shape.along_y * sin;
    next.along_y = shape.along_x * sin + shape.along_y * cos;
    return next;
}

/// What the step really taken should gain: bounds may have cut it.
double gain(const Normal& normal, const BallShape& a, const BallShape& b) {
    const auto along = [&](int parameter, float from, float to) {
        return normal.b[parameter] * static_cast<double>(to - from);
    };
    double total = along(simd::fit_level, a.level, b.level) + along(simd::fit_x, a.x, b.x) +
                   along(simd::fit_y, a.y, b.y) + along(simd::fit_radius, a.radius, b.radius) +
                   along(simd::fit_soft, a.soft, b.soft) +
                   along(simd::fit_offset, a.offset, b.offset);
    if (normal.n > simd::disc_parameters) total += along(simd::fit_half, a.half, b.half);
    return total;
}

double moved(const BallShape& a, const BallShape& b) {
    return static_cast<double>(
        std::max({std::abs(a.x - b.x), std::abs(a.y - b.y), std::abs(a.radius - b.radius),
                  std::abs(a.half - b.half)}));
}

/// Levenberg-Marquardt from one shape to a better one.
struct Descent {
    const FitWindow& window;
    const DiscFitOptions& options;
    bool is_streak;
    Normal normal{}, trial{};
    long work = 0;  ///< pixels visited
    bool converged = false;
    double last_gain = 1e300;  ///< of the last good step, in squared sigmas

    long pixels() const { return static_cast<long>(window.width) * window.height; }
    bool settled() const { return converged || last_gain < 0.3; }

    /// @param moments  of a streak's exposure that are looked at; 0: the chord will do
    void run(BallShape& shape, int moments) {
        const long cost = pixels() * (1 + moments / moments_per_pass);
        evaluate(window, shape, is_streak, moments, options, normal);
        work += cost;
        double damping = 1e-4;
        converged = false;
        for (int i = 0; i < most_iterations && !converged; ++i) {
            const Factors factors(normal, damping);
            if (!factors.positive()) break;
            Vector step = {};
            factors.solve(normal.b, step);
            const BallShape next = stepped(shape, step, is_streak, options);
            const double enough = near_sigmas * normal.energy / static_cast<double>(pixels());
            if (damping < 1e-3 &&
                (moved(shape, next) < near_px || gain(normal, shape, next) < enough)) {
                shape = next;  // the next step would be far shorter: what is known suffices
                converged = true;
                break;
            }
            evaluate(window, next, is_streak, moments, options, trial);
            work += cost;
            if (trial.energy <= normal.energy) {
                last_gain = (normal.energy - trial.energy) * static_cast<double>(pixels()) /
                            std::max(trial.energy, 1e-9);
                shape = next;
                std::swap(normal, trial);
                damping = std::max(damping * 0.1, 1e-7);
            } else {
                // where no step helps, this is the place
                converged = moved(shape, next) < near_px;
                damping = std::max(damping * 20.0, 1e-3);
            }
        }
    }
};

}  // namespace

DiscFit fit_disc(const FitWindow& window, const BallShape& start, const DiscFitOptions& options) {
    const bool is_streak = start.half > 0.0f;
    DiscFit fit{};
    BallShape shape = start;
    shape.offset = 0.0f;
    shape.soft = static_cast<float>(
        std::min(start_soft, std::max(0.5, 0.9 * static_cast<double>(start.radius))));
    Descent descent{window, options, is_streak};
    descent.run(shape, 0);
    if (is_streak && descent.settled() && shape.half <= most_half_by_moments)
        descent.run(shape, static_cast<int>(std::ceil(moments_per_px * 2.0f * shape.half)));
    const Normal& normal = descent.normal;
    const long pixels = descent.pixels();
    fit.work = descent.work;
    fit.shape = shape;
    const double n_free = static_cast<double>(pixels - normal.n);
    const double variance = n_free > 0 ? normal.energy / n_free : normal.energy;
    fit.error = std::sqrt(variance);
    const double total = static_cast<double>(simd::disc_kernels().energy(window));
    const double chance = options.noise * options.noise * static_cast<double>(pixels);
    fit.explained = total > chance
                        ? std::clamp(1.0 - (normal.energy - chance) / (total - chance), 0.0, 1.0)
                        : 0.0;
    const Factors factors(normal, 0.0);
    const double per_pixel = std::max(variance, options.noise * options.noise);
    Vector x = {}, one = {};
    one[simd::fit_x] = 1.0;
    factors.solve(one, x);
    fit.covariance[0] = per_pixel * x[simd::fit_x];
    fit.covariance[1] = per_pixel * x[simd::fit_y];
    one[simd::fit_x] = 0.0, one[simd::fit_y] = 1.0;
    factors.solve(one, x);
    fit.covariance[2] = per_pixel * x[simd::fit_y];
    const double r = static_cast<double>(shape.radius);
    const double off =
        std::hypot(static_cast<double>(shape.x - start.x), static_cast<double>(shape.y - start.y));
    fit.ok = descent.settled() && factors.positive() && std::isfinite(fit.covariance[0]) &&
             fit.covariance[0] > 0.0 && fit.covariance[2] > 0.0 && r >= options.least_radius &&
             r <= options.most_radius && off <= r + static_cast<double>(start.half);
    return fit;
}

}  // namespace trackcore
