#include "core/klt_level.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/sinc.hpp"

namespace trackcore {
namespace {

constexpr int margin = 3;           // pixels a window may move before its patch is cut again
constexpr int taps_before = 3;      // of an 8-tap filter, before the pixel; as many and one after
constexpr int least_side = 5;       // of the part of a window that both images show
constexpr int template_border = 2;  // pixels that derivatives reach beyond the window

/// Largest integer not above x, for |x| < 2^30; std::floor is a call on old CPUs.
int floor_int(double x) {
    const int i = static_cast<int>(x);
    return i - (x < i);
}

double square(double x, double y) { return x * x + y * y; }

// Square of how much steps shrink from one to the next.
constexpr double usual_rate2 = 0.25 * 0.25;

/// Whether the way still to go after a step is shorter than epsilon, if all later steps shrink as
/// this one did from the one before. With a rate of at most 1/2, what remains is at most twice the
/// next step.
bool settled(double step2, double before2, double epsilon2) {
    return 4.0 * step2 < before2 && 4.0 * step2 * step2 < epsilon2 * before2;
}

}  // namespace

KltLevel::KltLevel(const ImageView& prev, const ImageView& next, int window,
                   Photometric photometric, Vec2 xy, bool finest, KltWorkspace& workspace)
    : next_(next),
      kernels_(simd::klt_kernels()),
      w_(workspace),
      window_(window),
      photometric_(photometric),
      finest_(finest) {
    // A coarse level is content with the whole pixels nearest to the window.
    const double nearest = finest ? 0.0 : 0.5;
    const Vec2 corner{xy.x - 0.5 * (window - 1), xy.y - 0.5 * (window - 1)};
    x0_ = floor_int(corner.x + nearest);
    y0_ = floor_int(corner.y + nearest);
    if (finest) part_ = {corner.x - x0_, corner.y - y0_};
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

bool KltLevel::has_texture(double least) const {
    const double floor = least * view_.width * view_.height;
    const double xx = normal_.xx - floor, yy = normal_.yy - floor;  // both eigenvalues above it
    return usable_ && xx > 0.0 && xx * yy > normal_.xy * normal_.xy;
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
        if (circling || last_step2_ < epsilon2 || settled(last_step2_, before2, epsilon2))
            return End::converged;
        last = step;
    }
    return End::moving;
}

double KltLevel::last_step_px() const { return std::sqrt(last_step2_); }

}  // namespace trackcore
