#include "core/track_points.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/patch.hpp"
#include "core/sinc.hpp"
#include "core/threads.hpp"

namespace trackcore {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr int margin = 3;         // pixels a window may move before its patch is cut again
constexpr int taps_before = 3;    // of an 8-tap filter, left of the pixel
constexpr int precise_steps = 4;  // 8-tap refinements at most; two are the rule
constexpr int points_a_piece = 32;
// A level above the finest only has to bring the next within reach.
constexpr double coarse_epsilon_px = 0.03;
// Noise that every image has, in 8-bit grey levels: what makes a flat patch flat.
constexpr double noise_floor = 1.0;

struct Workspace {
    PatchBuffer prev, next, resampled;
    alignas(64) std::int16_t t[simd::template_stride * simd::template_stride] = {};
    alignas(64) std::int16_t gx[simd::template_stride * simd::template_stride] = {};
    alignas(64) std::int16_t gy[simd::template_stride * simd::template_stride] = {};
};

Workspace& workspace() {
    thread_local Workspace w;
    return w;
}

/// Largest integer not above x, for |x| < 2^30; std::floor is a call on old CPUs.
int floor_int(double x) {
    const int i = static_cast<int>(x);
    return i - (x < i);
}

double square(double x, double y) { return x * x + y * y; }

bool finite(Vec2 v) { return std::isfinite(v.x) && std::isfinite(v.y); }

bool inside(Vec2 v, const ImageView& image) {
    return v.x >= -0.5 && v.y >= -0.5 && v.x <= image.width - 0.5 && v.y <= image.height - 0.5;
}

/// The 2 x 2 system of one template at one level, brightness projected out, in grey levels.
struct Normal {
    double xx, xy, yy;              // sum of g g^T
    double cx[2], cy[2], ia, ib, ic;  // couplings to [1, T]; inverse of their 2 x 2 matrix
    int brightness;

    double i_det;  // inverse of the determinant, so that no step divides

    double min_eigenvalue() const {
        return 0.5 * (xx + yy - std::sqrt((xx - yy) * (xx - yy) + 4.0 * xy * xy));
    }
    /// Mean variance per axis for unit noise: trace of the inverse over two.
    double unit_variance() const { return 0.5 * (xx + yy) * i_det; }
};

Normal normal_equations(const simd::GradientSums& g2, const simd::BrightnessSums& s, int window,
                        Photometric photometric) {
    constexpr double g = 1.0 / simd::gradient_scale, t = 1.0 / 8.0;
    const double n = window * window;
    Normal m{};
    m.xx = static_cast<double>(g2.gx_gx) * g * g;
    m.xy = static_cast<double>(g2.gx_gy) * g * g;
    m.yy = static_cast<double>(g2.gy_gy) * g * g;
    m.brightness = static_cast<int>(photometric);
    m.i_det = 1.0 / (m.xx * m.yy - m.xy * m.xy);
    if (m.brightness == 0) return m;
    m.cx[0] = static_cast<double>(s.gx) * g, m.cy[0] = static_cast<double>(s.gy) * g;
    m.ia = 1.0 / n;
    if (m.brightness == 2) {
        m.cx[1] = static_cast<double>(s.gx_t) * g * t;
        m.cy[1] = static_cast<double>(s.gy_t) * g * t;
        const double sum = static_cast<double>(s.t) * t, sum2 = static_cast<double>(s.t_t) * t * t;
        const double det = n * sum2 - sum * sum;
        if (det > 1e-9 * n * sum2) {
            m.ia = sum2 / det, m.ib = -sum / det, m.ic = n / det;
        } else {
            m.brightness = 1;  // a flat template has no gain
        }
    }
    const auto project = [&](const double* a, const double* b) {
        return a[0] * (m.ia * b[0] + m.ib * b[1]) + a[1] * (m.ib * b[0] + m.ic * b[1]);
    };
    m.xx -= project(m.cx, m.cx);
    m.xy -= project(m.cx, m.cy);
    m.yy -= project(m.cy, m.cy);
    m.i_det = 1.0 / (m.xx * m.yy - m.xy * m.xy);
    return m;
}

/// The step that makes template and patch agree, in pixels of this level.
Vec2 solve_step(const Normal& m, const simd::StepSums& s) {
    constexpr double r = 1.0 / (1 << simd::sample_bits), g = 1.0 / simd::gradient_scale, t = 1.0 / 8.0;
    double bx = static_cast<double>(s.gx_r) * g * r, by = static_cast<double>(s.gy_r) * g * r;
    if (m.brightness > 0) {
        const double b0 = static_cast<double>(s.r) * r, b1 = static_cast<double>(s.r_t) * r * t;
        const double p0 = m.ia * b0 + m.ib * b1, p1 = m.ib * b0 + m.ic * b1;
        bx -= m.cx[0] * p0 + m.cx[1] * p1;
        by -= m.cy[0] * p0 + m.cy[1] * p1;
    }
    return {(m.yy * bx - m.xy * by) * m.i_det, (m.xx * by - m.xy * bx) * m.i_det};
}

enum class Step { converged, moving, left_frame, diverged };

/// One point at one level: a template and the patch it is compared with.
class Level {
  public:
    Level(const ImageView& prev, const ImageView& next, const PointOptions& options, Vec2 xy,
          bool finest)
        : next_(next), options_(options), finest_(finest), kernels_(simd::klt_kernels()), w_(workspace()) {
        const int window = options.window;
        const double half = 0.5 * (window - 1);
        x0_ = floor_int(xy.x - half + 0.5);
        y0_ = floor_int(xy.y - half + 0.5);
        offset_ = {x0_ - xy.x, y0_ - xy.y};
        map_ = sample_map(prev, x0_ - 2, y0_ - 2, window + 4, window + 4, &usable_);
        cut_patch(prev, x0_ - 2, y0_ - 2, window + 4, window + 4, map_, w_.prev.data);
        simd::GradientSums gradients;
        kernels_.make_template(w_.prev.data, window, w_.t, w_.gx, w_.gy, &gradients);
        if (finest || options.photometric != Photometric::none)
            kernels_.brightness(w_.t, w_.gx, w_.gy, window, &sums_);
        normal_ = normal_equations(gradients, sums_, window, options.photometric);
    }

    /// Standard deviation of the position [px] if only the noise floor disturbed it.
    double best_sigma_px() const {
        const double eigenvalue = normal_.min_eigenvalue();
        const double scale = normal_.xx + normal_.yy;
        if (!usable_ || !(eigenvalue > 1e-6 * scale) || !(scale > 0.0))
            return std::numeric_limits<double>::infinity();
        return noise_floor * std::sqrt(2.0 * normal_.unit_variance());
    }

    /// Moves `xy` until the patch under it agrees with the template.
    Step refine(Vec2& xy, double epsilon_px, bool with_sinc, int most) {
        const Vec2 start = xy;
        const double reach = options_.window, epsilon2 = epsilon_px * epsilon_px;
        Vec2 last{0.0, 0.0};
        for (int i = 0; i < most; ++i) {
            Vec2 step = solve_step(normal_, with_sinc ? compare_with_sinc(xy) : compare(xy));
            // Two steps that undo each other circle the answer: take the middle.
            const bool circling = i > 0 && square(step.x + last.x, step.y + last.y) < epsilon2;
            if (circling) step = {0.5 * step.x, 0.5 * step.y};
            xy = {xy.x - step.x, xy.y - step.y};
            last_step2_ = square(step.x, step.y);
            if (!(square(xy.x - start.x, xy.y - start.y) <= reach * reach)) return Step::diverged;
            if (!inside_with_window(xy)) return Step::left_frame;
            if (circling || last_step2_ < epsilon2) return Step::converged;
            last = step;
        }
        return Step::moving;
    }

    double last_step_px() const { return std::sqrt(last_step2_); }

    /// Fills the quality figures of a match at `xy`.
    void judge(Vec2 xy, PointMatch& out) {
        simd::MatchSums s;
        resample_sinc(xy);
        kernels_.match(w_.resampled.data, 0, 0, w_.t, options_.window, &s);
        const double n = options_.window * options_.window, unit = 1.0 / 8.0;
        const double t = static_cast<double>(sums_.t) * unit, tt = static_cast<double>(sums_.t_t) * unit * unit;
        const double r = static_cast<double>(s.r) * unit, rr = static_cast<double>(s.r_r) * unit * unit;
        const double rt = static_cast<double>(s.r_t) * unit * unit;
        const double var_t = tt - t * t / n, var_r = rr - r * r / n, cov = rt - r * t / n;
        const double var_j = var_t + 2.0 * cov + var_r;
        out.ncc = static_cast<float>(
            var_t > 0.0 && var_j > 0.0
                ? std::clamp((var_t + cov) / std::sqrt(var_t * var_j), -1.0, 1.0)
                : 0.0);
        double left = options_.photometric == Photometric::none ? rr : var_r;
        if (options_.photometric == Photometric::gain_bias && var_t > 0.0)
            left = var_r - cov * cov / var_t;
        left = std::max(left, 0.0) / n;
        // Rounding to whole grey levels is noise as well: 1/12 in each 8-bit image.
        const double noise = next_.type == PixelType::u8 ? std::max(left, 1.0 / 6.0) : left;
        const double to_grey = (1 << simd::sample_bits) / map_.scale;
        out.residual = static_cast<float>(std::sqrt(left) * to_grey);
        out.sigma_px = static_cast<float>(std::sqrt(noise * normal_.unit_variance()));
    }

  private:
    struct Place {
        const std::int16_t* patch;
        int fx, fy;  // 2^-15 px
    };

    bool inside_with_window(Vec2 xy) const {
        const double reach = 0.5 * options_.window;
        return xy.x > -reach && xy.y > -reach && xy.x < next_.width + reach &&
               xy.y < next_.height + reach;
    }

    /// The samples under the window at `xy`, cut anew when it moved too far.
    Place place(Vec2 xy) {
        const double x = xy.x + offset_.x, y = xy.y + offset_.y;
        const int ix = floor_int(x), iy = floor_int(y);
        const int fx = std::min(static_cast<int>((x - ix) * 32768.0 + 0.5), 32767);
        const int fy = std::min(static_cast<int>((y - iy) * 32768.0 + 0.5), 32767);
        if (!cut_ || std::abs(ix - cut_x_) > margin || std::abs(iy - cut_y_) > margin) {
            const int before = margin + (finest_ ? taps_before : 0);
            const int side = options_.window + 1 + 2 * margin + (finest_ ? 7 : 0);
            cut_patch(next_, ix - before, iy - before, side, side, map_, w_.next.data);
            origin_ = w_.next.data + before * (simd::patch_stride + 1);
            cut_x_ = ix, cut_y_ = iy, cut_ = true;
        }
        return {origin_ + (iy - cut_y_) * simd::patch_stride + (ix - cut_x_), fx, fy};
    }

    simd::StepSums compare(Vec2 xy) {
        const Place at = place(xy);
        return correlate(at.patch, at.fx, at.fy);
    }

    void resample_sinc(Vec2 xy) {
        const Place at = place(xy);
        kernels_.resample8(at.patch, sinc_taps(at.fx), sinc_taps(at.fy), options_.window,
                           w_.resampled.data);
    }

    simd::StepSums compare_with_sinc(Vec2 xy) {
        resample_sinc(xy);
        return correlate(w_.resampled.data, 0, 0);
    }

    simd::StepSums correlate(const std::int16_t* patch, int fx, int fy) {
        simd::StepSums s;
        (normal_.brightness > 0 ? kernels_.step_photometric : kernels_.step)(
            patch, fx, fy, w_.t, w_.gx, w_.gy, options_.window, &s);
        return s;
    }

    const ImageView& next_;
    const PointOptions& options_;
    const bool finest_;
    const simd::KltKernels& kernels_;
    Workspace& w_;
    int x0_ = 0, y0_ = 0;
    Vec2 offset_;  // of the window's first pixel from the point
    SampleMap map_;
    bool usable_ = true;
    simd::BrightnessSums sums_{};
    Normal normal_{};
    const std::int16_t* origin_ = nullptr;
    int cut_x_ = 0, cut_y_ = 0;
    bool cut_ = false;
    double last_step2_ = 0.0;  // [px^2]
};

/// Levels that are larger than the window; the finest always counts.
int usable_levels(const FramePyramid& prev, const FramePyramid& next, const PointOptions& options) {
    int n = std::min({options.levels, prev.levels(), next.levels()});
    while (n > 1 && std::min(prev.level(n - 1).width, prev.level(n - 1).height) <= options.window)
        --n;
    return n;
}

/// Brings `xy` from the start to where the point is in `next`, coarse to fine.
PointMatch follow(const FramePyramid& prev, const FramePyramid& next, Vec2 from, Vec2 xy,
                  const PointOptions& options) {
    for (int l = usable_levels(prev, next, options) - 1; l > 0; --l) {
        const double scale = 1 << l;
        Level level(prev.level(l), next.level(l), options, {from.x / scale, from.y / scale},
                    false);
        if (!(level.best_sigma_px() < 1.0)) continue;  // nothing to see at this scale
        Vec2 at{xy.x / scale, xy.y / scale};
        const Step end = level.refine(at, std::max(options.epsilon_px, coarse_epsilon_px), false,
                                      options.max_iterations);
        if (end == Step::diverged || end == Step::left_frame) continue;
        xy = {at.x * scale, at.y * scale};
    }
    Level level(prev.level(0), next.level(0), options, from, true);
    if (!(level.best_sigma_px() <= options.max_sigma_px)) return lost_point(PointStatus::low_texture);
    Step end = level.refine(xy, options.epsilon_px, false, options.max_iterations);
    // A point that still moves by less than this is good enough; the residual will tell.
    const double settled_px = std::max(10.0 * options.epsilon_px, 0.1);
    if (end == Step::moving && level.last_step_px() > settled_px) end = Step::diverged;
    if (end == Step::converged || end == Step::moving) {
        // Bilinear interpolation pulls towards whole and half pixels; the sinc does not.
        const Step polished = level.refine(xy, options.epsilon_px, true,
                                           options.precise ? precise_steps : 1);
        if (polished == Step::left_frame || polished == Step::diverged) end = polished;
    }
    if (end == Step::left_frame || !inside(xy, next.level(0)))
        return lost_point(PointStatus::out_of_frame);
    if (end == Step::diverged) return lost_point(PointStatus::not_converged);
    PointMatch match = lost_point(PointStatus::tracked);
    match.xy_px = xy;
    level.judge(xy, match);
    if (match.ncc < options.min_ncc) return lost_point(PointStatus::low_correlation);
    if (!(match.sigma_px <= options.max_sigma_px)) return lost_point(PointStatus::low_texture);
    return match;
}

void prefetch_window(const FramePyramid& pyramid, Vec2 xy, int window) {
#if defined(__GNUC__)
    if (!finite(xy)) return;
    for (int l = 0; l < std::min(pyramid.levels(), 2); ++l) {
        const ImageView& image = pyramid.level(l);
        const double x = xy.x / (1 << l) - 0.5 * window, y = xy.y / (1 << l) - 0.5 * window;
        if (!(x >= 0 && y >= 0 && x + window < image.width && y + window < image.height)) continue;
        const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(x) * pixel_size(image.type);
        for (int row = 0; row < window; ++row) {
            const char* p = image.row<char>(static_cast<int>(y) + row) + first;
            const char* end = p + (window + margin) * pixel_size(image.type);
            __builtin_prefetch(p);
            if ((reinterpret_cast<std::uintptr_t>(p) ^ reinterpret_cast<std::uintptr_t>(end)) & 64)
                __builtin_prefetch(end);
        }
    }
#else
    static_cast<void>(pyramid), static_cast<void>(xy), static_cast<void>(window);
#endif
}

}  // namespace

PointMatch lost_point(PointStatus why) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    return {{nan_value, nan_value}, nan, nan, nan, nan, why};
}

PointMatch track_point(const FramePyramid& prev, const FramePyramid& next, Vec2 xy_px,
                       Vec2 guess_px, const PointOptions& options) {
    if (!finite(xy_px)) return lost_point(PointStatus::unseen);
    if (!inside(xy_px, prev.level(0))) return lost_point(PointStatus::out_of_frame);
    const Vec2 start = finite(guess_px) ? guess_px : xy_px;
    PointMatch match = follow(prev, next, xy_px, start, options);
    if (!options.forward_backward || match.status != PointStatus::tracked) return match;

    // The way back starts from the same expectation of motion, never from the known answer.
    const Vec2 back_start{match.xy_px.x - (start.x - xy_px.x), match.xy_px.y - (start.y - xy_px.y)};
    const PointMatch back = follow(next, prev, match.xy_px, back_start, options);
    if (back.status != PointStatus::tracked) return lost_point(PointStatus::failed_fb);
    const double error_px = std::hypot(back.xy_px.x - xy_px.x, back.xy_px.y - xy_px.y);
    if (error_px > options.max_fb_px) return lost_point(PointStatus::failed_fb);
    match.fb_px = static_cast<float>(error_px);
    return match;
}

void track_points(const FramePyramid& prev, const FramePyramid& next,
                  std::span<const Vec2> xy_px, std::span<const Vec2> guess_px,
                  const PointOptions& options, int threads, std::span<PointMatch> out) {
    const Vec2 unknown{nan_value, nan_value};
    parallel_for(static_cast<int>(xy_px.size()), points_a_piece, threads, [&](int begin, int end) {
        for (int i = begin; i < end; ++i) {
            const Vec2 guess = guess_px.empty() ? unknown : guess_px[i];
            if (i + 1 < end) {
                prefetch_window(prev, xy_px[i + 1], options.window);
                prefetch_window(next, guess_px.empty() || !finite(guess_px[i + 1]) ? xy_px[i + 1]
                                                                                  : guess_px[i + 1],
                                options.window);
            }
            out[i] = track_point(prev, next, xy_px[i], guess, options);
        }
    });
}

}  // namespace trackcore
