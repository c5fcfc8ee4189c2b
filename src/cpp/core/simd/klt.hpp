// Kernels of point tracking: everything that touches pixels, on small 16-bit patches.
//
// Samples are grey levels times 2^5 (0 .. 8160); gradients are kept to |g| <= 2047. With windows
// of at most 64 pixels every sum below then fits 32-bit lanes, so results are exact integers and
// the same at every CPU level.
#pragma once

#include <cstdint>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

inline constexpr int sample_bits = 5;       ///< samples are grey levels << 5
inline constexpr int gradient_scale = 8;    ///< gradients are grey levels per pixel, times 8
inline constexpr int patch_stride = 128;    ///< samples from row to row: whole cache lines
inline constexpr int template_stride = 64;  ///< the same for templates and their gradients
inline constexpr int max_window = 64;
inline constexpr int row_slack = 32;  ///< samples that a kernel may read past a row's end

/// What the gradients of a template alone determine, in gradient units.
struct GradientSums {
    std::int64_t gx_gx, gx_gy, gy_gy;
};

/// What the brightness model needs of a template. T is in grey levels times 8, g in gradient units.
struct BrightnessSums {
    std::int64_t gx, gy, gx_t, gy_t, t, t_t;
};

/// What tells how a template's texture compares with its noise.
struct TextureSums {
    std::int64_t t, t_t;            ///< T in grey levels times 8
    std::int64_t bend_x2, bend_y2;  ///< squared second differences [(grey levels / 2)^2]
    std::int64_t rough2;            ///< the same across and down [(2 grey levels)^2]
};

/// One comparison of a resampled patch J with the template T; r = J - T in samples.
struct StepSums {
    std::int64_t gx_r, gy_r;
    std::int64_t r, r_t;  ///< only `step_photometric` fills these; T in grey levels times 8
};

/// How alike two patches are; R and T in grey levels times 8.
struct MatchSums {
    std::int64_t r, r_r, r_t;
};

/// A template and its gradients, rows `template_stride` apart; gradients are zero right of
/// `width`, so that vectors may reach beyond it.
struct TemplateView {
    const std::int16_t* t;
    const std::int16_t* gx;
    const std::int16_t* gy;
    int width, height;
};

/// Weights of the pixels of a window, times 2^15: 32767 inside, less at its edges; zero for
/// columns beyond its width.
struct TemplateWeights {
    std::int16_t column[template_stride];
    std::int16_t first_row, last_row;
};

struct KltKernels {
    /// 8-bit pixels to samples. Reads up to 31 pixels past each row's end.
    void (*widen)(const std::uint8_t* src, std::ptrdiff_t stride, int width, int height,
                  std::int16_t* dst, std::ptrdiff_t dst_stride);

    /// Cuts a window out of a patch and differentiates it by fourth-order differences, which
    /// reach two pixels beyond. `patch` is the window's first pixel. Gradients are multiplied by
    /// the weights of their column and row (2^-15), the sums' by one factor of them.
    void (*make_template)(const std::int16_t* patch, const TemplateWeights& weights, int width,
                          int height, std::int16_t* t, std::int16_t* gx, std::int16_t* gy,
                          GradientSums* sums);
    /// The same with Sobel's derivative, which is less exact and reaches further: for a start.
    void (*make_coarse_template)(const std::int16_t* patch, const TemplateWeights& weights,
                                 int width, int height, std::int16_t* t, std::int16_t* gx,
                                 std::int16_t* gy, GradientSums* sums);
    void (*brightness_sums)(const TemplateView& view, BrightnessSums* sums);
    void (*texture_sums)(const TemplateView& view, TextureSums* sums);

    /// Resamples a window bilinearly at offset (fx, fy) / 2^15 and correlates the difference with
    /// the gradients.
    void (*step)(const std::int16_t* patch, int fx, int fy, const TemplateView& view,
                 StepSums* sums);
    void (*step_photometric)(const std::int16_t* patch, int fx, int fy, const TemplateView& view,
                             StepSums* sums);

    /// Resamples as `step` does and compares.
    void (*match)(const std::int16_t* patch, int fx, int fy, const TemplateView& view,
                  MatchSums* sums);

    /// Resamples a window with separable 8-tap filters; weights times 2^15, patch points at the
    /// sample under tap 3 of the first pixel.
    void (*resample8)(const std::int16_t* patch, const std::int16_t wx[8], const std::int16_t wy[8],
                      int width, int height, std::int16_t* dst);
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(KltKernels, klt_kernels)
