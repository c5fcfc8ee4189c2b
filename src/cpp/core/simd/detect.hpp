// Kernels of corner detection: one row at a time, on small buffers that stay in the first cache.
//
// A corner's strength is twice the smaller eigenvalue of [xx xy; xy yy], sums over a block of
// products of 3 x 3 Sobel derivatives. For 8-bit images those sums are exact integers; from there
// on each operation is one IEEE operation in a fixed order: the same bits at every CPU level.
#pragma once

#include <cstdint>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

inline constexpr int corner_lanes = 32;  ///< "in whole vectors": to the next multiple of this
inline constexpr int max_corner_columns = 1024;  ///< of one call

/// One pixel type's passes. `Grad` holds derivatives, `Sum` sums of their products.
template <class Pixel, class Grad, class Sum>
struct CornerKernels {
    /// smooth = above + 2 here + below and diff = below - above, for n pixels. Reads no others.
    void (*blur)(const Pixel* above, const Pixel* here, const Pixel* below, int n, Grad* smooth,
                 Grad* diff);

    /// Derives row dx[block], dy[block] from smooth and diff, whose columns -1 and n it reads, and
    /// brings xx, xy, yy from the sums over rows [0, block) to those over [1, block]. In whole
    /// vectors. The order of dx and dy within a row is the kernel's own.
    void (*accumulate)(const Grad* smooth, const Grad* diff, Grad* const* dx, Grad* const* dy,
                       int block, int n, Sum* xx, Sum* xy, Sum* yy);

    /// Strength of n columns; the rest of the last whole vector becomes 0. Reads block / 2 columns
    /// before the first and (block - 1) / 2 after the last. Returns the strongest.
    float (*strength)(const Sum* xx, const Sum* xy, const Sum* yy, int block, int n, float* out);
};

struct DetectKernels {
    CornerKernels<std::uint8_t, std::int16_t, std::int32_t> u8;
    CornerKernels<std::uint16_t, float, double> u16;
    CornerKernels<float, float, double> f32;

    /// The largest of n values whose entry of `where` is not 0; 0 if there is none. Values >= 0.
    float (*largest_where)(const float* value, const std::uint8_t* where, int n);

    /// Finds the columns among n whose value exceeds `threshold` and is exceeded by none of its
    /// eight neighbours. Reads in whole vectors, one more column on either side. Returns how many;
    /// `column` and `value` have room for n in whole vectors.
    int (*peaks)(const float* above, const float* here, const float* below, int n, float threshold,
                 std::int32_t* column, float* value);
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(DetectKernels, detect_kernels)
