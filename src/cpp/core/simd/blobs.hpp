// Kernels of the search for blobs: Gaussian blur of floats, and maxima of differences of blurred
// images. The same bits at every CPU level.
#pragma once

#include <cstddef>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

/// Rows are padded to a multiple of this, and by no less than it.
inline constexpr int blob_lanes = 32;

struct BlobKernels {
    /// One row of an image blurred with taps[|i|], |i| <= reach: rows[0 .. 2 reach] are those
    /// around it, top to bottom. Across, the border is repeated.
    /// @param line  2 `reach` more numbers than a padded row has
    void (*blur)(const float* const* rows, int width, const float* taps, int reach, float* line,
                 float* out);

    /// Where in a row images[1] - images[2], times `sign`, is more than `weakest`, no less than its
    /// eight neighbours, and no less than the same place of images[0] - images[1] and of
    /// images[2] - images[3]. Returns how many; columns go to `found`, the first and last left out.
    /// @param images  of each image the row above, the row, the row below
    int (*maxima)(const float* const (*images)[3], int width, float sign, float weakest,
                  int* found);
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(BlobKernels, blob_kernels)
