#include "core/klt_normal.hpp"

#include <algorithm>
#include <cmath>

namespace trackcore {
namespace {

constexpr double per_sample = 1.0 / (1 << simd::sample_bits);  // grey levels
constexpr double per_gradient = 1.0 / simd::gradient_scale;    // grey levels per pixel
// White noise of unit variance gives each gradient this variance: sum of squared weights of
// (1, -8, 0, 8, -1) / 12.
constexpr double gradient_noise = 2.0 * 65.0 / 144.0;
// Gains that steps are shortened for; a patch far from its place may suggest any.
constexpr double least_gain = 1.0, most_gain = 4.0;

}  // namespace

KltNormal normal_equations(const simd::GradientSums& gradients, const simd::BrightnessSums& s,
                           double n, Photometric photometric) {
    KltNormal m;
    m.xx = static_cast<double>(gradients.gx_gx) * per_gradient * per_gradient;
    m.xy = static_cast<double>(gradients.gx_gy) * per_gradient * per_gradient;
    m.yy = static_cast<double>(gradients.gy_gy) * per_gradient * per_gradient;
    m.brightness = static_cast<int>(photometric);
    if (m.brightness > 0) {
        m.cx[0] = static_cast<double>(s.gx) * per_gradient;
        m.cy[0] = static_cast<double>(s.gy) * per_gradient;
        m.ia = 1.0 / n;
    }
    if (m.brightness == 2) {
        m.cx[1] = static_cast<double>(s.gx_t) * per_gradient * per_eighth;
        m.cy[1] = static_cast<double>(s.gy_t) * per_gradient * per_eighth;
        const double sum = static_cast<double>(s.t) * per_eighth;
        const double sum2 = static_cast<double>(s.t_t) * per_eighth * per_eighth;
        const double det = n * sum2 - sum * sum;
        if (det > 1e-9 * n * sum2)
            m.ia = sum2 / det, m.ib = -sum / det, m.ic = n / det;
        else
            m.brightness = 1;  // a flat template has no gain
    }
    if (m.brightness > 0) {
        const auto project = [&](const double* a, const double* b) {
            return a[0] * (m.ia * b[0] + m.ib * b[1]) + a[1] * (m.ib * b[0] + m.ic * b[1]);
        };
        m.xx -= project(m.cx, m.cx);
        m.xy -= project(m.cx, m.cy);
        m.yy -= project(m.cy, m.cy);
    }
    m.i_det = 1.0 / (m.xx * m.yy - m.xy * m.xy);
    return m;
}

KltNormal without_noise(KltNormal m, double variance, double n) {
    m.xx -= n * gradient_noise * variance;
    m.yy -= n * gradient_noise * variance;
    m.i_det = 1.0 / (m.xx * m.yy - m.xy * m.xy);
    return m;
}

bool mostly_noise(const KltNormal& with, const KltNormal& without) {
    return !(without.min_eigenvalue() > least_signal * with.min_eigenvalue());
}

double position_variance(const KltNormal& g, const KltNormal& s, double variance) {
    const double a = s.yy * s.i_det, b = -s.xy * s.i_det, c = s.xx * s.i_det;
    const double xx = a * (a * g.xx + b * g.xy) + b * (a * g.xy + b * g.yy);
    const double yy = b * (b * g.xx + c * g.xy) + c * (b * g.xy + c * g.yy);
    return 0.5 * (xx + yy) * variance;
}

double KltNormal::min_eigenvalue() const {
    return 0.5 * (xx + yy - std::sqrt((xx - yy) * (xx - yy) + 4.0 * xy * xy));
}

double KltNormal::max_eigenvalue() const {
    return 0.5 * (xx + yy + std::sqrt((xx - yy) * (xx - yy) + 4.0 * xy * xy));
}

Vec2 KltNormal::solve(const simd::StepSums& s) const {
    double bx = static_cast<double>(s.gx_r) * (per_gradient * per_sample);
    double by = static_cast<double>(s.gy_r) * (per_gradient * per_sample);
    double scale = i_det;
    if (brightness > 0) {
        const double b0 = static_cast<double>(s.r) * per_sample;
        const double b1 = static_cast<double>(s.r_t) * (per_sample * per_eighth);
        const double p0 = ia * b0 + ib * b1, p1 = ib * b0 + ic * b1;
        bx -= cx[0] * p0 + cx[1] * p1;
        by -= cy[0] * p0 + cy[1] * p1;
        // r is T times (gain - 1) and more: with gain, differences are larger, not the motion.
        scale /= std::clamp(1.0 + p1, least_gain, most_gain);
    }
    return {(yy * bx - xy * by) * scale, (xx * by - xy * bx) * scale};
}

}  // namespace trackcore
