#include "core/region.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/region_lists.hpp"

TRACKCORE_DEFINE_KERNELS(RegionKernels, region_kernels)

namespace trackcore {
namespace {

constexpr double to_sample = 1 << simd::sample_bits;
constexpr double settled_px = 0.1;  // a step this short is an answer, if not to the last digit
// Gain of the image over the template that a step is corrected for. Less is what a pattern far
// from its place shows: believing it would make steps wild, ignoring it too short.
constexpr double least_gain = 0.25, most_gain = 5.0;
// A cautious attempt goes on to the next stage when a step is shorter than this.
constexpr double stage_px = 0.5;
constexpr int stage_iterations = 12;

RegionFit lost_fit(PointStatus why, int iterations) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    RegionFit fit{{}, {nan, nan}, 0.0f, 0.0f, 0.0f, iterations, why};
    std::fill(std::begin(fit.warp.m), std::end(fit.warp.m), nan);
    fit.ncc = fit.residual = fit.sigma_px = std::numeric_limits<float>::quiet_NaN();
    return fit;
}

/// The first `n` parameters of the model, as a model of their own.
struct Stage {
    int n;
    const double* inverse;  // of the products of its columns, n x n
};

/// Stages of one attempt; the last is the model itself.
struct Stages {
    Stage stage[3];
    int count;
};

/// Inverse of the upper left 6 x 6 of a matrix, from the inverse P of all 8 x 8:
/// P_aa - P_ab P_bb^-1 P_ba.
void invert_affine_part(const double* p, double* out) {
    const double a = p[6 * 8 + 6], b = p[6 * 8 + 7], d = p[7 * 8 + 7], det = a * d - b * b;
    for (int i = 0; i < 6; ++i)
        for (int k = 0; k < 6; ++k) {
            const double i6 = p[i * 8 + 6], i7 = p[i * 8 + 7];
            const double k6 = p[k * 8 + 6], k7 = p[k * 8 + 7];
            out[i * 6 + k] = p[i * 8 + k] - (i6 * (d * k6 - b * k7) + i7 * (a * k7 - b * k6)) / det;
        }
}

/// What one comparison of template and image says.
struct Comparison {
    double gain = 1.0, ncc = 0.0;
    double mean_square = 0.0;  // of the difference, brightness change removed if wanted
    double gradient[max_model_parameters] = {};

    Comparison() = default;
    Comparison(const RegionTemplate& t, const simd::RegionSums& s) {
        const double pixels = t.pattern * t.pattern, mean = s.i / pixels;
        const double covariance = s.i_t - t.mean * s.i;
        const double variation = std::max(s.i_i - mean * s.i, 0.0);
        gain = covariance / t.variation;
        if (variation > 0.0)
            ncc = std::clamp(covariance / std::sqrt(variation * t.variation), -1.0, 1.0);
        project(t.model, s.j, gradient);
        const int n = parameters(t.model);
        if (t.normalize) {
            for (int k = 0; k < n; ++k) gradient[k] -= t.j_1[k] * mean + t.j_t[k] * gain;
            mean_square = std::max(variation - gain * covariance, 0.0) / pixels;
        } else {
            for (int k = 0; k < n; ++k) gradient[k] -= t.j_t[k];
            const double squares = t.variation + pixels * t.mean * t.mean;
            mean_square = std::max(s.i_i - 2.0 * s.i_t + squares, 0.0) / pixels;
        }
    }
};

/// One attempt to align a template.
class Alignment {
  public:
    Alignment(const RegionTemplate& t, const ImageView& next, const Mat3& initial_warp,
              const RefineOptions& options)
        : t_(t),
          next_(next),
          options_(options),
          half_(0.5 * (t.pattern - 1)),
          place_{{half_, 0, t.centre_px.x, 0, half_, t.centre_px.y, 0, 0, 1}},
          initial_(normalised(product(initial_warp, place_))),
          point_{(t.xy_px.x - t.centre_px.x) / half_, (t.xy_px.y - t.centre_px.y) / half_},
          around_(std::isnan(options.around_px.x) ? apply(initial_, point_) : options.around_px),
          positions_(pattern_positions(t.pattern)),
          area_(next, t.map, t.normalize) {
        thread_local std::vector<float> memory;
        if (memory.size() < positions_.u.size()) memory.resize(positions_.u.size());
        values_ = memory.data();
    }

    RegionFit run(const Stages& stages) {
        warp_ = initial_;
        double last[max_model_parameters] = {};
        double moved_px = std::numeric_limits<double>::infinity();
        for (int i = 0; i < options_.max_iterations && moved_px >= options_.epsilon_px; ++i) {
            if (const auto why = obstacle(); why != PointStatus::tracked)
                return lost_fit(why, iterations_);
            compare();
            double step[max_model_parameters] = {};
            const int n = choose_step(stages, i, step);
            // A step that mostly undoes the one before circles the answer: go half the way.
            double sum = 0.0, size = 0.0;
            for (int k = 0; k < n; ++k) {
                sum += (step[k] + last[k]) * (step[k] + last[k]);
                size += step[k] * step[k];
            }
            if (sum < 0.25 * size)
                for (double& s : step) s *= 0.5;
            std::copy(std::begin(step), std::end(step), last);
            moved_px = corner_movement(step, n);
            warp_ = normalised(product(warp_, inverse(motion(t_.model, step, half_))));
        }
        return judge(moved_px);
    }

  private:
    /// Why the pattern cannot be where it is now.
    PointStatus obstacle() {
        const Vec2 at = apply(warp_, point_);
        if (!plausible(warp_, half_)) return PointStatus::not_converged;
        if (!inside(at, next_)) return PointStatus::out_of_frame;
        const bool near = std::abs(at.x - around_.x) <= options_.reach_px &&
                          std::abs(at.y - around_.y) <= options_.reach_px;
        return near && area_.cover(warp_) ? PointStatus::tracked : PointStatus::not_converged;
    }

    void compare() {
        area_.sample(warp_, positions_, t_.base, values_);
        now_ = Comparison(t_, correlate(t_, positions_, values_));
        ++iterations_;
    }

    /// Differences grow with the image's gain; the motion they stand for does not.
    double step_gain() const {
        return t_.normalize ? std::clamp(now_.gain, least_gain, most_gain) : 1.0;
    }

    /// Step of the first stage that still has far to go, or of the last; returns its parameters.
    int choose_step(const Stages& stages, int iteration, double* step) const {
        const double gain = step_gain();
        int tried = 0;
        for (const Stage& stage : stages.stage) {
            for (int k = 0; k < stage.n; ++k) {
                step[k] = 0.0;
                for (int l = 0; l < stage.n; ++l)
                    step[k] += stage.inverse[k * stage.n + l] * now_.gradient[l];
                step[k] /= gain;
            }
            ++tried;
            const bool in_time = iteration < tried * stage_iterations;
            if (tried == stages.count || (in_time && corner_movement(step, stage.n) >= stage_px))
                break;
        }
        return parameters(t_.model);
    }

    RegionFit judge(double moved_px) const {
        const Vec2 at = apply(warp_, point_);
        if (!(moved_px < std::max(settled_px, options_.epsilon_px)) || !plausible(warp_, half_))
            return lost_fit(PointStatus::not_converged, iterations_);
        if (!inside(at, next_)) return lost_fit(PointStatus::out_of_frame, iterations_);
        if (!(now_.ncc >= options_.min_ncc))
            return lost_fit(PointStatus::low_correlation, iterations_);
        RegionFit fit = lost_fit(PointStatus::tracked, iterations_);
        fit.warp = normalised(product(warp_, inverse(place_)));
        fit.xy_px = at;
        fit.ncc = static_cast<float>(now_.ncc);
        fit.residual = static_cast<float>(std::sqrt(now_.mean_square) / area_.map().scale);
        // As the template's values would show it, which the gradients belong to.
        const double gain = step_gain();
        double noise = now_.mean_square / (gain * gain);
        // Rounding to whole grey levels is noise as well: 1/12 in each 8-bit image.
        if (next_.type == PixelType::u8) noise = std::max(noise, to_sample * to_sample / 6.0);
        const double* m = warp_.m;
        const double scale = std::sqrt(std::abs(m[0] * m[4] - m[1] * m[3])) / half_;
        fit.sigma_px = static_cast<float>(scale * std::sqrt(noise * t_.unit_variance));
        return fit;
    }

    const RegionTemplate& t_;
    const ImageView& next_;
    const RefineOptions& options_;
    const double half_;
    const Mat3 place_;    // positions in the pattern -> pixels of the template's image
    const Mat3 initial_;  // positions in the pattern -> pixels of the next image, as are all below
    const Vec2 point_, around_;
    const PatternPositions& positions_;
    SampledArea area_;
    Mat3 warp_;
    Comparison now_;
    int iterations_ = 0;
    float* values_;
};

}  // namespace

RegionFit refine_region(const RegionTemplate& pattern, const ImageView& next,
                        const Mat3& initial_warp, const RefineOptions& options) {
    Alignment alignment(pattern, next, initial_warp, options);
    const Stage whole{parameters(pattern.model), pattern.inverse};
    const RegionFit fit = alignment.run({{whole}, 1});
    if (fit.status == PointStatus::tracked || pattern.model == MotionModel::loc) return fit;

    const Stage loc{2, pattern.loc_inverse};
    Stages stages{{loc, whole}, 2};
    double affine[36];
    if (pattern.model == MotionModel::perspective) {
        invert_affine_part(pattern.inverse, affine);
        stages = {{loc, {6, affine}, whole}, 3};
    }
    const RegionFit second = alignment.run(stages);
    // The first attempt is the better witness of why there is no answer.
    return second.status == PointStatus::tracked ? second : lost_fit(fit.status, second.iterations);
}

}  // namespace trackcore
