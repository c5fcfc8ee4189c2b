// Where blobs may be, and how large: maxima of differences of Gaussians, in place and scale.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/blob_fit.hpp"
#include "core/types.hpp"

namespace trackcore {

struct BlobSearch {
    double min_radius, max_radius;  ///< [px]
    double min_contrast;            ///< [grey levels]
    double min_snr;                 ///< contrast over noise, times the root of the area
    double max_elongation;          ///< ratio of the widths of a maximum; more is a line
    double noise;                   ///< standard deviation of a pixel
    bool bright, dark;              ///< which are wanted
};

/// Starts for `fit_blobs`, in the order of octave, row, scale, sign and column.
///
/// Scales are three to the octave; each octave has half the resolution of the one before, taken
/// from an image blurred enough for it (Lowe 2004). A disc answers most at its radius / sqrt 2.
/// Twice as weak as asked is let through: the fit decides. The same bits at every CPU level.
/// @param image  float32, all finite
std::vector<BlobStart> find_blobs(const ImageView& image, const BlobSearch& search);

/// Indices of the discs that stay, in the order given, strongest first: without those whose centre
/// lies within three quarters of the larger radius from a stronger one's.
std::vector<std::int32_t> without_overlaps(std::span<const BlobStart> strongest_first);

}  // namespace trackcore
