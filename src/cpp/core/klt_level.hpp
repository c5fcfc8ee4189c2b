// One point at one pyramid level: a template of the previous image, aligned with the next one.
#pragma once

#include <cstdint>

#include "core/patch.hpp"
#include "core/simd/klt.hpp"
#include "core/types.hpp"

namespace trackcore {

/// The 2 x 2 system of a template, brightness projected out. Grey levels and pixels.
struct KltNormal {
    double xx = 0, xy = 0, yy = 0;  ///< sum of g g^T
    double i_det = 0;               ///< inverse of its determinant, so that no step divides
    double cx[2] = {}, cy[2] = {};  ///< couplings of gx and gy to [1, T]
    double ia = 0, ib = 0, ic = 0;  ///< inverse of the 2 x 2 matrix of [1, T]
    int brightness = 0;             ///< number of brightness parameters

    double min_eigenvalue() const;
    double max_eigenvalue() const;
    Vec2 solve(const simd::StepSums& sums) const;
};

/// How good a match is.
struct KltQuality {
    double ncc;       ///< normalised cross-correlation, -1 .. 1
    double residual;  ///< rms difference after the brightness model [grey levels]
    double sigma_px;  ///< one standard deviation per axis; infinite where texture is only noise
    bool only_noise;  ///< the template's own noise explains all its texture
    bool fine;        ///< texture so fine that bilinear interpolation costs accuracy
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

    /// Mean square of the gradient along the direction that has least of it [(grey levels / px)^2].
    double weakest_texture() const;

    /// Moves `xy` until the patch under it agrees with the template, `most` steps at most.
    /// Where a window crosses the border, only pixels that both images show are compared.
    End refine(Vec2& xy, double epsilon_px, Kernel kernel, int most);

    double last_step_px() const;

    /// Quality of a match at `xy`, where refine() ended.
    KltQuality judge(Vec2 xy, Kernel kernel);

  private:
    struct Place {
        const std::int16_t* patch;  ///< null: too little of the window is visible, or a NaN
        int fx, fy;                 ///< 2^-15 px
    };
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
