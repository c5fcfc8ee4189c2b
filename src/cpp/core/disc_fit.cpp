#include "core/disc_fit.hpp"

#include <algorithm>
#include <cmath>

TRACKCORE_DEFINE_KERNELS(DiscKernels, disc_kernels)

namespace trackcore {
namespace {

using simd::BallShape;
using simd::FitWindow;

constexpr int most_iterations = 12;
// A shorter step ends the fit: the next one would be some three times as short,
constexpr double near_px = 5e-3, near_streak_px = 2e-3;
constexpr double near_sigmas = 0.01;  // or one that gains less than this, in squared sigmas
constexpr double usual_soft = 0.7, soft_sigma = 0.5;  // known before any pixel is seen
constexpr double start_soft = 0.8;  // wide enough to see an edge that is half a pixel off
constexpr float least_soft = 0.3f, most_soft = 6.0f;  // a pixel's own width; worst defocus

/// Normal equations; small enough that plain loops beat a library.
template <int n>
struct Normal {
    double a[n][n];
    double b[n];
    double energy;  // of what is left
};

constexpr int streak_parameters = simd::fit_parameters;
constexpr int plain_parameters = simd::fit_offset;  // of a disc before a known background

constexpr float moments_per_px = 2.5f, most_half_by_moments = 24.0f;
constexpr int moments_per_pass = 3;  // take the time of one pass of the chord

using Vector = double[simd::fit_parameters];

/// a = L D L^T with a's diagonal raised by `damping` of itself.
template <int n>
class Factors {
  public:
    Factors(const Normal<n>& normal, double damping) {
        double most = 0.0;
        for (int i = 0; i < n; ++i) most = std::max(most, normal.a[i][i]);
        for (int i = 0; i < n; ++i) {
            double scaled[n];  // row i of L D
            for (int j = 0; j <= i; ++j) {
                double sum = normal.a[i][j];
                if (i == j) sum += damping * sum + 1e-9 * most;
                for (int k = 0; k < j; ++k) sum -= l_[j][k] * scaled[k];
                scaled[j] = sum;
                if (i != j) l_[i][j] = sum * inverse_[j];
            }
            inverse_[i] = 1.0 / scaled[i];
            if (!(scaled[i] > 0.0)) positive_ = false, inverse_[i] = 1.0;
        }
    }
    bool positive() const { return positive_; }
    void solve(const double* b, double* x) const {
        for (int i = 0; i < n; ++i) {
            x[i] = b[i];
            for (int k = 0; k < i; ++k) x[i] -= l_[i][k] * x[k];
        }
        for (int i = n; i-- > 0;) {
            x[i] *= inverse_[i];
            for (int k = i + 1; k < n; ++k) x[i] -= l_[k][i] * x[k];
        }
    }

  private:
    bool positive_ = true;
    double l_[n][n], inverse_[n];
};

/// Sums over the part of the window the ball can reach, and over all of it where the level of the
/// background is sought.
template <int n>
void evaluate(const FitWindow& window, const BallShape& shape, int moments,
              const DiscFitOptions& options, Normal<n>& out) {
    const auto& kernels = simd::disc_kernels();
    float sums[simd::fit_sums(n)];
    if (moments > 0)
        kernels.streak_by_moments(window, shape, moments, sums);
    else
        (n == streak_parameters  ? kernels.streak
         : n == plain_parameters ? kernels.disc
                                 : kernels.disc_and_offset)(window, shape, sums);
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
    if constexpr (n > simd::fit_offset) {
        if (options.offset) return;
        for (int i = 0; i < n; ++i) out.a[i][simd::fit_offset] = out.a[simd::fit_offset][i] = 0.0;
        out.a[simd::fit_offset][simd::fit_offset] = 1.0;
        out.b[simd::fit_offset] = 0.0;
    }
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
template <int n>
double gain(const Normal<n>& normal, const BallShape& a, const BallShape& b) {
    const auto along = [&](int parameter, float from, float to) {
        return normal.b[parameter] * static_cast<double>(to - from);
    };
    double total = along(simd::fit_level, a.level, b.level) + along(simd::fit_x, a.x, b.x) +
                   along(simd::fit_y, a.y, b.y) + along(simd::fit_radius, a.radius, b.radius) +
                   along(simd::fit_soft, a.soft, b.soft);
    if constexpr (n > simd::fit_offset) total += along(simd::fit_offset, a.offset, b.offset);
    if constexpr (n == streak_parameters) total += along(simd::fit_half, a.half, b.half);
    return total;
}

double moved(const BallShape& a, const BallShape& b) {
    return static_cast<double>(
        std::max({std::abs(a.x - b.x), std::abs(a.y - b.y), std::abs(a.radius - b.radius),
                  std::abs(a.half - b.half)}));
}

/// Levenberg-Marquardt from one shape of n parameters to a better one.
template <int n>
struct Descent {
    static constexpr bool is_streak = n == streak_parameters;
    static constexpr double near = is_streak ? near_streak_px : near_px;
    const FitWindow& window;
    const DiscFitOptions& options;
    Normal<n> normal{}, trial{};
    long work = 0;  ///< pixels visited
    bool converged = false;
    double last_gain = 1e300;  ///< of the last good step, in squared sigmas

    long pixels() const { return static_cast<long>(window.width) * window.height; }
    bool settled() const { return converged || last_gain < 0.3; }

    /// @param moments  of a streak's exposure that are looked at; 0: the chord will do
    void run(BallShape& shape, int moments) {
        const long cost = pixels() * (1 + moments / moments_per_pass);
        evaluate<n>(window, shape, moments, options, normal);
        work += cost;
        double damping = 1e-4;
        converged = false;
        for (int i = 0; i < most_iterations && !converged; ++i) {
            const Factors<n> factors(normal, damping);
            if (!factors.positive()) break;
            Vector step = {};
            factors.solve(normal.b, step);
            const BallShape next = stepped(shape, step, is_streak, options);
            const double enough = near_sigmas * normal.energy / static_cast<double>(pixels());
            const double won = gain(normal, shape, next);
            if (damping < 1e-3 && (moved(shape, next) < near || won < enough)) {
                shape = next;  // the next step would be far shorter: what is known suffices
                normal.energy -= std::max(won, 0.0);
                converged = true;
                break;
            }
            evaluate<n>(window, next, moments, options, trial);
            work += cost;
            if (trial.energy <= normal.energy) {
                last_gain = (normal.energy - trial.energy) * static_cast<double>(pixels()) /
                            std::max(trial.energy, 1e-9);
                shape = next;
                std::swap(normal, trial);
                damping = std::max(damping * 0.1, 1e-7);
            } else {
                // where no step helps, this is the place
                converged = moved(shape, next) < near;
                damping = std::max(damping * 20.0, 1e-3);
            }
        }
    }
};

template <int n>
DiscFit fit_shape(const FitWindow& window, const BallShape& start, const DiscFitOptions& options) {
    DiscFit fit{};
    BallShape shape = start;
    shape.offset = 0.0f;
    shape.soft = static_cast<float>(
        std::min(start_soft, std::max(0.5, 0.9 * static_cast<double>(start.radius))));
    Descent<n> descent{window, options};
    descent.run(shape, 0);
    if (n == streak_parameters && descent.settled() && shape.half <= most_half_by_moments)
        descent.run(shape, static_cast<int>(std::ceil(moments_per_px * 2.0f * shape.half)));
    const Normal<n>& normal = descent.normal;
    const long pixels = descent.pixels();
    fit.work = descent.work;
    fit.shape = shape;
    const double n_free = static_cast<double>(pixels - n);
    const double variance = n_free > 0 ? normal.energy / n_free : normal.energy;
    fit.error = std::sqrt(variance);
    const double total = static_cast<double>(simd::disc_kernels().energy(window));
    const double chance = options.noise * options.noise * static_cast<double>(pixels);
    fit.explained = total > chance
                        ? std::clamp(1.0 - (normal.energy - chance) / (total - chance), 0.0, 1.0)
                        : 0.0;
    const Factors<n> factors(normal, 0.0);
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

}  // namespace

DiscFit fit_disc(const FitWindow& window, const BallShape& start, const DiscFitOptions& options) {
    if (start.half > 0.0f) return fit_shape<streak_parameters>(window, start, options);
    if (options.offset) return fit_shape<simd::disc_parameters>(window, start, options);
    return fit_shape<plain_parameters>(window, start, options);
}

}  // namespace trackcore
