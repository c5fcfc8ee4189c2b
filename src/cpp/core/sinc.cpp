#include "core/sinc.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>

namespace trackcore {
namespace {

constexpr int phase_bits = 11, phases = 1 << phase_bits, taps = 8, centre = 3;
constexpr double pi = 3.14159265358979323846;
// Waves up to here [rad/px] count in full, and finer ones hardly: photographs have little of them.
// Chosen on fresh synthetic textures from smooth to white noise; anything from 1.8 to 2.2 does.
constexpr double band_limit = 2.0, beyond = 1e-4;

using Taps = Eigen::Matrix<double, taps, 1>;

/// Integral over the band of cos(omega t): how alike two samples t apart are.
double likeness(double t) {
    if (t == 0.0) return band_limit + beyond * pi;
    return (std::sin(band_limit * t) + beyond * std::sin(pi * t)) / t;
}

/// Least squares over the band with two conditions: constants and ramps come out exactly. A filter
/// that bends ramps, as plain windowed sincs do, moves every point of a smooth picture.
class Design {
  public:
    Design() {
        Eigen::Matrix<double, taps, taps> between;
        for (int i = 0; i < taps; ++i)
            for (int k = 0; k < taps; ++k) between(i, k) = likeness(i - k);
        inverse_ = between.llt().solve(Eigen::Matrix<double, taps, taps>::Identity());
    }

    Taps at(double fraction) const {
        Taps wanted;
        Eigen::Matrix<double, taps, 2> exact;
        for (int k = 0; k < taps; ++k) {
            const double t = k - centre - fraction;
            wanted[k] = likeness(t);
            exact(k, 0) = 1.0;
            exact(k, 1) = t;
        }
        const Taps best = inverse_ * wanted;
        const Eigen::Matrix<double, taps, 2> change = inverse_ * exact;
        const Eigen::Vector2d missing = Eigen::Vector2d(1.0, 0.0) - exact.transpose() * best;
        return best + change * (exact.transpose() * change).llt().solve(missing);
    }

  private:
    Eigen::Matrix<double, taps, taps> inverse_;
};

struct Table {
    std::array<std::array<std::int16_t, taps>, phases + 1> weights;
    Table() {
        const Design design;
        for (int p = 0; p <= phases; ++p) {
            const double fraction = static_cast<double>(p) / phases;
            const Taps w = design.at(fraction);
            int rounded[taps], left = 32767;
            for (int k = 0; k < taps; ++k)
                left -= rounded[k] = static_cast<int>(std::lround(w[k] * 32767.0));
            // What rounding lost goes to the nearer sample, so that the sum is the same everywhere,
            // and to the other one where that would pass 32767: close to whole pixels.
            const int nearest = fraction < 0.5 ? centre : centre + 1;
            const int other = 2 * centre + 1 - nearest;
            rounded[nearest] += left;
            rounded[other] += std::max(rounded[nearest] - 32767, 0);
            rounded[nearest] = std::min(rounded[nearest], 32767);
            for (int k = 0; k < taps; ++k) weights[p][k] = static_cast<std::int16_t>(rounded[k]);
        }
    }
};

}  // namespace

const std::int16_t* sinc_taps(int fraction15) {
    static const Table table;
    constexpr int shift = 15 - phase_bits;
    return table.weights[(fraction15 + (1 << (shift - 1))) >> shift].data();
}

}  // namespace trackcore
