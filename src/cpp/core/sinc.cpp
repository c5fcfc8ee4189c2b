#include "core/sinc.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace trackcore {
namespace {

constexpr int phase_bits = 11, phases = 1 << phase_bits, taps = 8, centre = 3;
constexpr double pi = 3.14159265358979323846;
constexpr double beta = 5.0;

/// Modified Bessel function of the first kind, order 0, by its series.
double bessel_i0(double x) {
    double term = 1.0, total = 1.0;
    for (int k = 1; k < 40; ++k) {
        term *= (x / (2.0 * k)) * (x / (2.0 * k));
        total += term;
    }
    return total;
}

double kernel(double t) {
    const double u = t / (taps / 2.0);
    if (u <= -1.0 || u >= 1.0) return 0.0;
    const double window = bessel_i0(beta * std::sqrt(1.0 - u * u)) / bessel_i0(beta);
    return t == 0.0 ? 1.0 : std::sin(pi * t) / (pi * t) * window;
}

struct Table {
    std::array<std::array<std::int16_t, taps>, phases + 1> weights;
    Table() {
        for (int p = 0; p <= phases; ++p) {
            const double fraction = static_cast<double>(p) / phases;
            double w[taps], total = 0.0;
            for (int k = 0; k < taps; ++k) total += w[k] = kernel(k - centre - fraction);
            int left = 32767;
            for (int k = 0; k < taps; ++k) {
                weights[p][k] = static_cast<std::int16_t>(std::lround(w[k] / total * 32767.0));
                left -= weights[p][k];
            }
            // What rounding lost goes to the nearer sample, so that the sum is the same everywhere,
            // and to the other one where that would be 32768: close to whole pixels.
            const int nearest = fraction < 0.5 ? centre : centre + 1;
            const int sum = weights[p][nearest] + left, kept = std::min(sum, 32767);
            auto& other = weights[p][2 * centre + 1 - nearest];
            weights[p][nearest] = static_cast<std::int16_t>(kept);
            other = static_cast<std::int16_t>(other + sum - kept);
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
