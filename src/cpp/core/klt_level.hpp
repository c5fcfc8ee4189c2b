// One point at one pyramid level: a template of the previous image, aligned with the next one.
#pragma once

#include <cstdint>

#include "core/klt_normal.hpp"
#include "core/patch.hpp"
#include "core/simd/klt.hpp"
#include "core/types.hpp"

namespace trackcore {

/// How good a match is.
struct KltQuality {
    double ncc;       ///< normalised cross-correlation, -1 .. 1
    double residual;  ///< rms difference after the brightness model [grey levels]
    double sigma_px;  ///< one standard deviation per axis; infinite where texture is only noise
    bool only_noise;  ///< the template's own noise explains all its texture
};

/// Where the windows of both images lie inside them, in window coordinates; ends excluded.
struct KltRect {
    int x0, y0, x1, y1;
    bool operator==(const KltRect&) const = default;
};

struct KltWorkspace {
    PatchBuffer prev, next, resampled;
    static constexpr int size = simd::template_stride * simd::template_stride;
    alignas(64) std::int16_t t[size] = {}, gx[size] = {}, gy[size] = {};
};

class KltLevel {
  public:
    enum class End { converged, moving, left_frame, diverged };
    enum class Kernel { bilinear, sinc };

    /// @param finest  judge() will be called; keeps what that needs
    KltLevel(const ImageView& prev, const ImageView& next, int window, Photometric photometric,
             Vec2 xy, bool finest, KltWorkspace& workspace);

    /// Standard deviation of the position [px] if only grey levels' noise disturbed it; infinite
    /// where the window has no texture.
    double best_sigma_px();

    /// Whether the mean square of the gradient exceeds `least` in all directions
    /// [(grey levels / px)^2].
    bool has_texture(double least) const;

    /// Moves `xy` until the patch under it agrees with the template, `most` steps at most.
    /// Where a window crosses the border, only pixels that both images show are compared.
    End refine(Vec2& xy, double epsilon_px, Kernel kernel, int most);

    double last_step_px() const;

    /// Whether texture is so fine that bilinear interpolation costs accuracy at `xy`.
    bool is_fine(Vec2 xy);

    /// Quality of a match at `xy`, where refine() ended.
    KltQuality judge(Vec2 xy, Kernel kernel);

    /// One step with the 8-tap filter, and the quality of where it ends.
    End polish(Vec2& xy, KltQuality& quality);

  private:
    struct Place {
        const std::int16_t* patch;  ///< null: too little of the window is visible, or a NaN
        int fx, fy;                 ///< 2^-15 px
    };
    /// Two patches, in grey levels: sums of squares about the means, and mean squared differences
    /// after the brightness model, in the next image's scale and in the template's.
    struct Likeness {
        double var_t, var_j, cov, left, left_in_template;
    };
    Likeness likeness(const simd::MatchSums& sums, double drop) const;
    KltQuality quality(const Likeness& like);
    double noise_of_difference(const Likeness& like) const;
    double rounding() const;
    void show(const KltRect& rect);
    Place place(Vec2 xy, Kernel kernel);
    bool cut_next(int x, int y, int width, int height);
    const std::int16_t* resample(const Place& at);
    simd::TemplateWeights weights(const KltRect& rect) const;
    simd::StepSums correlate(const Place& at, Kernel kernel);
    const std::int16_t* first_pixel() const;
    bool one_direction(double noise_variance);
    double template_noise() const;
    double bilinear_pull_px(std::int64_t bend2, double gradient2) const;

    const ImageView& next_;
    const simd::KltKernels& kernels_;
    KltWorkspace& w_;
    const int window_;
    int width_, height_;  // pixels that the window touches: one more where it begins between two
    Vec2 part_;           // of the first of them, that the window begins beyond
    const Photometric photometric_;
    const bool finest_;
    int x0_, y0_;        // first pixel of the window
    Vec2 offset_;        // of that pixel from the point
    KltRect prev_rect_;  // what the previous image shows of the window
    KltRect rect_;       // what is compared now
    SampleMap map_, next_map_;
    bool usable_ = true;    // the template
    bool readable_ = true;  // the patch of the next image
    simd::TemplateView view_{};
    simd::TextureSums texture_{};
    KltNormal normal_;
    const std::int16_t* origin_ = nullptr;
    int cut_x_ = 0, cut_y_ = 0;
    bool cut_ = false;
    double last_step2_ = 0.0;  // [px^2]
};

}  // namespace trackcore
