#include "core/klt_level.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/sinc.hpp"

namespace trackcore {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double per_sample = 1.0 / (1 << simd::sample_bits);  // grey levels
constexpr double per_gradient = 1.0 / simd::gradient_scale;    // grey levels per pixel
constexpr double per_eighth = 1.0 / 8.0;                       // grey levels
constexpr int margin = 3;           // pixels a window may move before its patch is cut again
constexpr int taps_before = 3;      // of an 8-tap filter, before the pixel; as many and one after
constexpr int least_side = 5;       // of the part of a window that both images show
constexpr int template_border = 2;  // pixels that derivatives reach beyond the window

// Noise that every image has, in 8-bit grey levels: what makes a flat patch flat.
constexpr double noise_floor = 1.0;
// Variance of rounding to whole grey levels.
constexpr double rounding_noise = 1.0 / 12.0;
// White noise of unit variance gives each gradient this variance: sum of squared weights of
// (1, -8, 0, 8, -1) / 12.
constexpr double gradient_noise = 2.0 * 65.0 / 144.0;
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
// Gains that steps are shortened for; a patch far from its place may suggest any.
constexpr double least_gain = 1.0, most_gain = 4.0;
constexpr double least_final_gain = 0.1;
// A direction fixes the position if at least this share of its texture is more than noise.
constexpr double least_signal = 0.25;

/// Largest integer not above x, for |x| < 2^30; std::floor is a call on old CPUs.
int floor_int(double x) {
    const int i = static_cast<int>(x);
    return i - (x < i);
}

double square(double x, double y) { return x * x + y * y; }

// Square of how much steps shrink from one to the next.
constexpr double usual_rate2 = 0.25 * 0.25;

/// Squared length of the way still to go after a step, if all later ones shrink as this one did
/// from the one before: rate / (1 - rate) of it.
double remaining2(double step2, double before2) {
    if (!(step2 < before2)) return infinite;
    const double rate = std::sqrt(step2 / before2);
    const double more = rate / (1.0 - rate);
    return step2 * more * more;
}

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

/// `m` without what noise of this variance adds to the gradients of n pixels.
KltNormal without_noise(KltNormal m, double variance, double n) {
    m.xx -= n * gradient_noise * variance;
    m.yy -= n * gradient_noise * variance;
    m.i_det = 1.0 / (m.xx * m.yy - m.xy * m.xy);
    return m;
}

bool mostly_noise(const KltNormal& with, const KltNormal& without) {
    return !(without.min_eigenvalue() > least_signal * with.min_eigenvalue());
}

/// Mean variance per axis of the position: noise enters through all gradients, information only
/// through those that are signal. Half the trace of S^-1 G S^-1, times the variance.
double position_variance(const KltNormal& g, const KltNormal& s, double variance) {
    const double a = s.yy * s.i_det, b = -s.xy * s.i_det, c = s.xx * s.i_det;
    const double xx = a * (a * g.xx + b * g.xy) + b * (a * g.xy + b * g.yy);
    const double yy = b * (b * g.xx + c * g.xy) + c * (b * g.xy + c * g.yy);
    return 0.5 * (xx + yy) * variance;
}

}  // namespace

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

KltLevel::KltLevel(const ImageView& prev, const ImageView& next, int window,
                   Photometric photometric, Vec2 xy, bool finest, KltWorkspace& workspace)
    : next_(next),
      kernels_(simd::klt_kernels()),
      w_(workspace),
      window_(window),
      photometric_(photometric),
      finest_(finest) {
    const Vec2 corner{xy.x - 0.5 * (window - 1), xy.y - 0.5 * (window - 1)};
    x0_ = floor_int(corner.x);
    y0_ = floor_int(corner.y);
    part_ = {corner.x - x0_, corner.y - y0_};
    width_ = window + (part_.x > 0.0);
    height_ = window + (part_.y > 0.0);
    offset_ = {x0_ - xy.x, y0_ - xy.y};
    const int x = x0_ - template_border, y = y0_ - template_border;
    const int patch_width = width_ + 2 * template_border;
    const int patch_height = height_ + 2 * template_border;
    map_ = sample_map(prev, x, y, patch_width, patch_height, &usable_);
    cut_patch(prev, x, y, patch_width, patch_height, map_, w_.prev.data);
    prev_rect_ = {std::max(0, template_border - x0_), std::max(0, template_border - y0_),
                  std::min(width_, prev.width - template_border - x0_),
                  std::min(height_, prev.height - template_border - y0_)};
    show(prev_rect_);
}

/// A window that begins between two pixels touches one more than its size. The two at its edges
/// are weighted so that its centre of mass is the point: else a patch that turns or grows would
/// pull the point along. The weights are as large as that allows.
simd::TemplateWeights KltLevel::weights(const KltRect& rect) const {
    constexpr double one = 32767.0;
    const auto first = [](double part) {
        return part > 0.0 ? std::min(1.0, 2.0 - 2.0 * part) : 1.0;
    };
    const auto last = [](double part) { return part > 0.0 ? std::min(1.0, 2.0 * part) : 1.0; };
    const auto fixed = [](double weight) { return static_cast<std::int16_t>(weight * one + 0.5); };
    simd::TemplateWeights w;
    const int width = rect.x1 - rect.x0;
    std::fill_n(w.column, width, fixed(1.0));
    std::fill(w.column + width, w.column + simd::template_stride, std::int16_t{0});
    if (rect.x0 == 0) w.column[0] = fixed(first(part_.x));
    if (rect.x1 == width_) w.column[width - 1] = fixed(last(part_.x));
    w.first_row = rect.y0 == 0 ? fixed(first(part_.y)) : fixed(1.0);
    w.last_row = rect.y1 == height_ ? fixed(last(part_.y)) : fixed(1.0);
    return w;
}

const std::int16_t* KltLevel::first_pixel() const {
    return w_.prev.data + (template_border + rect_.y0) * simd::patch_stride + template_border +
           rect_.x0;
}

/// Compares this part of the window from here on. Both sides must be at least 1.
void KltLevel::show(const KltRect& rect) {
    rect_ = rect;
    const int width = rect.x1 - rect.x0, height = rect.y1 - rect.y0;
    if (width < least_side || height < least_side) {
        usable_ = false;
        return;
    }
    simd::GradientSums gradients;
    (finest_ ? kernels_.make_template : kernels_.make_coarse_template)(
        first_pixel(), weights(rect), width, height, w_.t, w_.gx, w_.gy, &gradients);
    view_ = {w_.t, w_.gx, w_.gy, width, height};
    simd::BrightnessSums brightness{};
    if (photometric_ != Photometric::none) kernels_.brightness_sums(view_, &brightness);
    if (finest_) kernels_.texture_sums(view_, &texture_);
    normal_ = normal_equations(gradients, brightness, width * height, photometric_);
}

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

double KltLevel::weakest_texture() const {
    return usable_ ? normal_.min_eigenvalue() / (view_.width * view_.height) : 0.0;
}

KltLevel::Place KltLevel::place(Vec2 xy, Kernel kernel) {
    const double x = xy.x + offset_.x, y = xy.y + offset_.y;
    const int ix = floor_int(x), iy = floor_int(y);
    const int before = kernel == Kernel::sinc ? taps_before : 0, after = before + 1;
    const KltRect seen{std::max(prev_rect_.x0, before - ix), std::max(prev_rect_.y0, before - iy),
                       std::min(prev_rect_.x1, next_.width - after - ix),
                       std::min(prev_rect_.y1, next_.height - after - iy)};
    if (seen != rect_) {
        if (seen.x1 - seen.x0 < least_side || seen.y1 - seen.y0 < least_side)
            return {nullptr, 0, 0};
        show(seen);
    }
    const int fx = std::min(static_cast<int>((x - ix) * 32768.0 + 0.5), 32767);
    const int fy = std::min(static_cast<int>((y - iy) * 32768.0 + 0.5), 32767);
    if (!cut_ || std::abs(ix - cut_x_) > margin || std::abs(iy - cut_y_) > margin) {
        const int border = margin + (finest_ ? taps_before : 0);
        const int more = 1 + 2 * border + (finest_ ? 1 : 0);
        if (!cut_next(ix - border, iy - border, width_ + more, height_ + more)) {
            readable_ = false;
            return {nullptr, 0, 0};
        }
        origin_ = w_.next.data + border * (simd::patch_stride + 1);
        cut_x_ = ix, cut_y_ = iy, cut_ = true;
    }
    return {origin_ + (iy - cut_y_ + rect_.y0) * simd::patch_stride + (ix - cut_x_ + rect_.x0), fx,
            fy};
}

/// Cuts the patch of `next` that is searched; false where a pixel of it is not a number. Its
/// samples are those of `prev`, or, where brightness may change, such that none is out of range.
bool KltLevel::cut_next(int x, int y, int width, int height) {
    bool finite = true;
    next_map_ = map_;
    if (next_.type == PixelType::f32 ||
        (next_.type == PixelType::u16 && photometric_ != Photometric::none)) {
        const SampleMap own = sample_map(next_, x, y, width, height, &finite);
        constexpr double middle = 0.5 * top_sample;
        if (photometric_ == Photometric::gain_bias) next_map_ = own;
        if (photometric_ == Photometric::bias)
            next_map_.offset = own.offset + middle / own.scale - middle / map_.scale;
    }
    if (finite) cut_patch(next_, x, y, width, height, next_map_, w_.next.data);
    return finite;
}

const std::int16_t* KltLevel::resample(const Place& at) {
    kernels_.resample8(at.patch, sinc_taps(at.fx), sinc_taps(at.fy), view_.width, view_.height,
                       w_.resampled.data);
    return w_.resampled.data;
}

simd::StepSums KltLevel::correlate(const Place& at, Kernel kernel) {
    const auto step = normal_.brightness > 0 ? kernels_.step_photometric : kernels_.step;
    simd::StepSums sums;
    if (kernel == Kernel::sinc)
        step(resample(at), 0, 0, view_, &sums);
    else
        step(at.patch, at.fx, at.fy, view_, &sums);
    return sums;
}

KltLevel::End KltLevel::refine(Vec2& xy, double epsilon_px, Kernel kernel, int most) {
    const Vec2 start = xy;
    const double reach2 = static_cast<double>(window_) * window_;
    const double epsilon2 = epsilon_px * epsilon_px;
    Vec2 last{0.0, 0.0};
    for (int i = 0; i < most; ++i) {
        const Place at = place(xy, kernel);
        if (at.patch == nullptr) return readable_ ? End::left_frame : End::diverged;
        Vec2 step = normal_.solve(correlate(at, kernel));
        // Two steps that undo each other circle the answer: take the middle.
        const bool circling = i > 0 && square(step.x + last.x, step.y + last.y) < epsilon2;
        if (circling) step = {0.5 * step.x, 0.5 * step.y};
        xy = {xy.x - step.x, xy.y - step.y};
        // The first step has none before it; without a change of gain, expect the usual rate.
        const double first2 = normal_.brightness < 2 ? square(step.x, step.y) / usual_rate2 : 0.0;
        const double before2 = i > 0 ? last_step2_ : first2;
        last_step2_ = square(step.x, step.y);
        if (!(square(xy.x - start.x, xy.y - start.y) <= reach2)) return End::diverged;
        if (circling || last_step2_ < epsilon2 || remaining2(last_step2_, before2) < epsilon2)
            return End::converged;
        last = step;
    }
    return End::moving;
}

double KltLevel::last_step_px() const { return std::sqrt(last_step2_); }

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

KltQuality KltLevel::judge(Vec2 xy, Kernel kernel) {
    const Place at = place(xy, kernel);
    if (at.patch == nullptr) return {0.0, infinite, infinite, true, false};
    simd::MatchSums s;
    if (kernel == Kernel::sinc)
        kernels_.match(resample(at), 0, 0, view_, &s);
    else
        kernels_.match(at.patch, at.fx, at.fy, view_, &s);
    constexpr double unit = per_eighth, unit2 = per_eighth * per_eighth;
    const double n = view_.width * view_.height;
    const double t = static_cast<double>(texture_.t) * unit,
                 tt = static_cast<double>(texture_.t_t) * unit2;
    const double r = static_cast<double>(s.r) * unit, rr = static_cast<double>(s.r_r) * unit2;
    const double rt = static_cast<double>(s.r_t) * unit2;
    const double var_t = tt - t * t / n, var_r = rr - r * r / n, cov = rt - r * t / n;
    const double var_j = var_t + 2.0 * cov + var_r;
    double left = photometric_ == Photometric::none ? rr : var_r;
    if (photometric_ == Photometric::gain_bias && var_t > 0.0) left = var_r - cov * cov / var_t;
    left = std::max(left, 0.0) / n;

    // In the template's grey levels from here on, which may be fewer than those of `next`.
    double in_template = left;
    if (photometric_ == Photometric::gain_bias && var_t > 0.0) {
        const double gain = std::max(1.0 + cov / var_t, least_final_gain);
        in_template /= gain * gain;
    }
    const double rounding = next_.type == PixelType::u8 ? rounding_noise : 0.0;
    const double own_noise = template_noise();
    const double noise = std::max(std::min(0.5 * in_template, own_noise), rounding);
    const KltNormal signal = without_noise(normal_, noise, n);
    KltQuality quality;
    quality.ncc = var_t > 0.0 && var_j > 0.0
                      ? std::clamp((var_t + cov) / std::sqrt(var_t * var_j), -1.0, 1.0)
                      : 0.0;
    quality.residual = std::sqrt(left) * (1 << simd::sample_bits) / next_map_.scale;
    quality.sigma_px =
        mostly_noise(normal_, signal) || one_direction(noise)
            ? infinite
            : std::sqrt(position_variance(normal_, signal, std::max(in_template, 2.0 * rounding)));
    quality.only_noise = mostly_noise(normal_, without_noise(normal_, own_noise, n));
    const double pull_px = std::max(bilinear_pull_px(texture_.bend_x2, normal_.xx),
                                    bilinear_pull_px(texture_.bend_y2, normal_.yy));
    const double best_px =
        std::sqrt(std::max(in_template, 2.0 * rounding) / normal_.max_eigenvalue());
    quality.fine = pull_px > tolerable_pull * best_px;
    return quality;
}

}  // namespace trackcore
