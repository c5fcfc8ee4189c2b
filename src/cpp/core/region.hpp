// Aligning one pattern with an image: a template cut once, refined against any number of images.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "core/motion_models.hpp"
#include "core/patch.hpp"
#include "core/types.hpp"

namespace trackcore {

/// A pattern as it looked where it was cut, with all of its alignment that the next image does not
/// change. Filled by `make_region_template`; may be filled again, which keeps its memory.
/// About 6 bytes per pixel of the pattern and 1 kB.
///
/// Values are samples (8-bit grey levels times 32) less `base`; positions u, v are counted from
/// the pattern's middle in half patterns, so that they are -1 .. 1. Parameters of the motion are
/// then all in pixels, as the pattern's edge moves.
struct RegionTemplate {
    int pattern = 0;  ///< side [px]
    MotionModel model = MotionModel::loc;
    bool normalize = true;
    Vec2 xy_px;      ///< the point
    Vec2 centre_px;  ///< middle of the pattern, whose pixels are whole ones: within 1/2 px of it
    SampleMap map;   ///< grey level -> sample; images are read through the same map
    std::vector<std::int16_t> samples;  ///< planes: values, gradients across, gradients down
    int base = 0;

    double mean = 0.0, variation = 0.0;  ///< of the values: mean, sum of squared differences
    // Products of the columns of the Jacobian J with the values T and with ones, and the inverse
    // of J^T J (brightness projected out, damped), for the model and for translation alone.
    double j_t[max_model_parameters] = {}, j_1[max_model_parameters] = {};
    double inverse[max_model_parameters * max_model_parameters] = {}, loc_inverse[4] = {};
    double unit_variance = 0.0;  ///< of the position per axis, for noise of one sample
};

/// Cuts the pattern of `pattern` x `pattern` pixels (5 .. 63) around a point, across any border.
///
/// The pattern is anchored at whole pixels, so that only the images it is aligned with are ever
/// interpolated; the point's fraction is carried by the warp.
///
/// @return false where the pattern does not fix a position: too little texture, or values that
///         are not finite
bool make_region_template(const ImageView& image, Vec2 xy_px, int pattern, MotionModel model,
                          bool normalize, RegionTemplate& out);

struct RefineOptions {
    int max_iterations = 50;
    double epsilon_px = 0.005;  ///< done when no corner of the pattern moves further than this
    double reach_px = 25.0;     ///< how far along x or y the point may get from `around_px`
    Vec2 around_px{std::numeric_limits<double>::quiet_NaN(), 0.0};  ///< NaN: where it starts
    double min_ncc = -1.0;  ///< a fit worse than this is `low_correlation`
};

/// Result of one alignment. NaN, all of it, unless tracked.
struct RegionFit {
    Mat3 warp;       ///< pixel of the template's image -> pixel of the next
    Vec2 xy_px;      ///< where the point went
    float ncc;       ///< normalised cross-correlation at the result
    float residual;  ///< rms difference, brightness change removed if `normalize` [grey levels]
    float sigma_px;  ///< one standard deviation of the position per axis
    int iterations;
    PointStatus status;  ///< tracked, out_of_frame, not_converged or low_correlation
};

/// Aligns a template with `next`, starting from `initial_warp`.
///
/// Inverse compositional Gauss-Newton over all pixels of the pattern; with `normalize`, offset and
/// gain of the brightness are projected out. Where the model itself does not get there, a second
/// attempt moves the pattern as a whole until that has settled, and only then deforms it: the
/// first reaches further in rotation and scale, the second in translation. Never returns a warp
/// that mirrors the pattern, or scales it by less than 1/8 or more than 8.
/// Source: Baker & Matthews 2004, "Lucas-Kanade 20 Years On", sec. 3.2 and 4.
RegionFit refine_region(const RegionTemplate& pattern, const ImageView& next,
                        const Mat3& initial_warp, const RefineOptions& options);

}  // namespace trackcore
