// Blobs of a still: each start becomes the disc that explains its surroundings best.
#pragma once

#include <span>

#include "core/disc_fit.hpp"
#include "core/types.hpp"

namespace trackcore {

struct BlobStart {
    Vec2 xy_px;
    double radius;
    double contrast;  ///< grey level less that of the surroundings; its sign counts
};

struct BlobFit {
    Vec2 xy_px;
    double radius, contrast, confidence;
    double inner;          ///< mean contrast of the inner half of its radius
    double outer;          ///< and of the rest
    double covariance[3];  ///< xx, xy, yy [px^2]
    bool ok;               ///< false: all of it is as it was at the start, or NaN
};

/// Fits a disc and the level of the background to the window around each start.
/// @param image  float32
/// @param noise  standard deviation of a pixel; a floor for the errors
void fit_blobs(const ImageView& image, std::span<const BlobStart> starts, double noise,
               double most_radius, std::span<BlobFit> out);

}  // namespace trackcore
