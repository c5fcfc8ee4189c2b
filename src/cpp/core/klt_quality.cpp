// KltLevel: how good a match is, and whether there is anything to match.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/klt_level.hpp"

namespace trackcore {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
// Noise that every image has, in 8-bit grey levels: what makes a flat patch flat.
constexpr double noise_floor = 1.0;
// Variance of rounding to whole grey levels.
constexpr double rounding_noise = 1.0 / 12.0;
// Bilinear interpolation at fraction f shifts a wave of w rad/px by w^2 f (1 - f) (1 - 2 f) / 6;
// this is the largest value over f.
constexpr double worst_phase = 0.0962 / 6.0;
// Bilinear interpolation pulls towards whole and half pixels, the 8-tap filter does not, but keeps
// more of the noise: it is used where the pull may exceed this share of the deviation by noise
// along the best determined direction.
constexpr double tolerable_pull = 0.5;
// An edge slides along itself: below this ratio of eigenvalues, texture along it is not trusted.
constexpr double least_isotropy = 1e-3;
// Above this one it is texture, whoever differentiates.
constexpr double clear_isotropy = 0.05;
// As gradient_noise, of Sobel's (1, 2, 1) x (-1, 0, 1) / 8.
constexpr double sobel_noise = 12.0 / 64.0;
constexpr double least_final_gain = 0.1;  // of a patch that is still compared with its template
// A step that explains less of the squared difference than this need not be measured again, unless
// the window is so small that its weighted edges are much of it.
constexpr double small_drop = 0.1;
constexpr int small_window = 11;

}  // namespace

/// Whether all texture but noise of this variance lies along one direction. Fourth-order
/// differences see some along a sharp slanted edge that is not there; where they see little,
/// Sobel's decide, which are less exact but nearly the same in all directions.
bool KltLevel::one_direction(double noise_variance) {
    const double n = view_.width * view_.height;
    const KltNormal seen = without_noise(normal_, noise_variance, n);
    if (seen.min_eigenvalue() > clear_isotropy * normal_.max_eigenvalue()) return false;
    simd::GradientSums gradients;
    std::int16_t* unused = w_.resampled.data;
    kernels_.make_coarse_template(first_pixel(), weights(rect_), view_.width, view_.height, unused,
                                  unused, unused, &gradients);
    const KltNormal sobel = normal_equations(gradients, {}, n, Photometric::none);
    const double least = sobel.min_eigenvalue();
    return !(least - n * sobel_noise * noise_variance >
             std::max(least_signal * least, least_isotropy * sobel.max_eigenvalue()));
}

double KltLevel::best_sigma_px() {
    const double scale = normal_.xx + normal_.yy;
    const double rounding = next_.type == PixelType::u8 ? rounding_noise : 0.0;
    if (!usable_ || !(scale > 0.0) || one_direction(rounding)) return infinite;
    return noise_floor * std::sqrt(scale * normal_.i_det);
}

/// Upper bound of the variance of the template's noise: all that is rough in both directions.
/// Source: Immerkaer 1996, "Fast noise variance estimation".
double KltLevel::template_noise() const {
    constexpr double unit = 2.0, weights = 36.0;  // (1, -2, 1) across and down
    return static_cast<double>(texture_.rough2) * unit * unit /
           (weights * (view_.width - 2) * (view_.height - 2));
}

/// How far bilinear interpolation may be off along an axis. Second differences over first ones
/// are the square of the texture's frequency.
double KltLevel::bilinear_pull_px(std::int64_t bend2, double gradient2) const {
    constexpr double unit = 0.5;
    const double inner = (view_.width - 2) * (view_.height - 2);
    const double bend = static_cast<double>(bend2) * unit * unit / inner;
    return worst_phase * bend * view_.width * view_.height / std::max(gradient2, 1e-9);
}

/// What the sums of a comparison say, in grey levels.
KltLevel::Likeness KltLevel::likeness(const simd::MatchSums& s, double drop) const {
    constexpr double unit = per_eighth, unit2 = per_eighth * per_eighth;
    const double n = view_.width * view_.height;
    const double t = static_cast<double>(texture_.t) * unit;
    const double tt = static_cast<double>(texture_.t_t) * unit2;
    const double r = static_cast<double>(s.r) * unit;
    const double rr = std::max(static_cast<double>(s.r_r) * unit2 - drop, 0.0);
    const double rt = static_cast<double>(s.r_t) * unit2;
    Likeness like;
    like.var_t = tt - t * t / n;
    like.cov = rt - r * t / n;
    const double var_r = std::max(rr - r * r / n, 0.0);
    like.var_j = like.var_t + 2.0 * like.cov + var_r;
    const bool gain = photometric_ == Photometric::gain_bias && like.var_t > 0.0;
    double left = photometric_ == Photometric::none ? rr : var_r;
    if (gain) left = var_r - like.cov * like.cov / like.var_t;
    like.left = std::max(left, 0.0) / n;
    like.left_in_template = like.left;
    if (gain) {
        const double factor = std::max(1.0 + like.cov / like.var_t, least_final_gain);
        like.left_in_template /= factor * factor;
    }
    return like;
}

/// Variance of one pixel's difference, at least that of rounding both images [grey levels^2].
double KltLevel::noise_of_difference(const Likeness& like) const {
    return std::max(like.left_in_template, 2.0 * rounding());
}

double KltLevel::rounding() const { return next_.type == PixelType::u8 ? rounding_noise : 0.0; }

bool KltLevel::is_fine(Vec2 xy) {
    const Place at = place(xy, Kernel::bilinear);
    if (at.patch == nullptr) return false;
    simd::MatchSums s;
    kernels_.match(at.patch, at.fx, at.fy, view_, &s);
    const double pull_px = std::max(bilinear_pull_px(texture_.bend_x2, normal_.xx),
                                    bilinear_pull_px(texture_.bend_y2, normal_.yy));
    const double best2 = noise_of_difference(likeness(s, 0.0)) / normal_.max_eigenvalue();
    return pull_px * pull_px > tolerable_pull * tolerable_pull * best2;
}

KltQuality KltLevel::judge(Vec2 xy, Kernel kernel) {
    const Place at = place(xy, kernel);
    if (at.patch == nullptr) return {0.0, infinite, infinite, true};
    simd::MatchSums s;
    if (kernel == Kernel::sinc)
        kernels_.match(resample(at), 0, 0, view_, &s);
    else
        kernels_.match(at.patch, at.fx, at.fy, view_, &s);
    return quality(likeness(s, 0.0));
}

KltLevel::End KltLevel::polish(Vec2& xy, KltQuality& out) {
    const Place at = place(xy, Kernel::sinc);
    if (at.patch == nullptr) return readable_ ? End::left_frame : End::diverged;
    const Vec2 step = normal_.solve(correlate(at, Kernel::sinc));
    xy = {xy.x - step.x, xy.y - step.y};
    const double length2 = step.x * step.x + step.y * step.y;
    if (!(length2 <= static_cast<double>(window_) * window_)) return End::diverged;
    simd::MatchSums s;
    kernels_.match(w_.resampled.data, 0, 0, view_, &s);
    const double drop = normal_.xx * step.x * step.x + 2.0 * normal_.xy * step.x * step.y +
                        normal_.yy * step.y * step.y;
    const bool small = window_ >= small_window &&
                       drop < small_drop * static_cast<double>(s.r_r) * per_eighth * per_eighth;
    out = small ? quality(likeness(s, drop)) : judge(xy, Kernel::sinc);
    return End::moving;
}

KltQuality KltLevel::quality(const Likeness& like) {
    const double n = view_.width * view_.height;
    const double own_noise = template_noise();
    const double noise = std::max(std::min(0.5 * like.left_in_template, own_noise), rounding());
    const KltNormal signal = without_noise(normal_, noise, n);
    KltQuality quality;
    quality.ncc =
        like.var_t > 0.0 && like.var_j > 0.0
            ? std::clamp((like.var_t + like.cov) / std::sqrt(like.var_t * like.var_j), -1.0, 1.0)
            : 0.0;
    quality.residual = std::sqrt(like.left) * (1 << simd::sample_bits) / next_map_.scale;
    quality.sigma_px =
        mostly_noise(normal_, signal) || one_direction(noise)
            ? infinite
            : std::sqrt(position_variance(normal_, signal, noise_of_difference(like)));
    quality.only_noise = mostly_noise(normal_, without_noise(normal_, own_noise, n));
    return quality;
}

}  // namespace trackcore
