// Kernels of the image pyramid: colour to grey, and halving an image with the 5-tap binomial filter
// [1 4 6 4 1] / 16.
#pragma once

#include <cstdint>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

/// The weights of red, green and blue, times 2^15.
inline constexpr int luma_red = 9798, luma_green = 19235, luma_blue = 3735;

/// One pixel type's pair of passes. `Sum` holds sums of five samples with weights that add to 16.
template <class Pixel, class Sum>
struct DownKernels {
    /// dst[x] = src[2x-2] + 4 src[2x-1] + 6 src[2x] + 4 src[2x+1] + src[2x+2], mirrored at the
    /// ends, for x in [0, (width + 1) / 2).
    void (*across)(const Pixel* src, int width, Sum* dst);
    /// dst[x] = (r0 + 4 r1 + 6 r2 + 4 r3 + r4)[x] / 256, integers rounded to nearest.
    void (*down)(const Sum* const rows[5], int width, Pixel* dst);
};

/// Luma of a row of packed pixels of 3 or 4 channels, ITU-R BT.601. Integers: weights of 2^-15,
/// rounded to nearest, as cv2.cvtColor has it.
template <class Pixel>
using LumaKernel = void (*)(const Pixel* src, int channels, bool bgr, int width, Pixel* dst);

struct PyramidKernels {
    DownKernels<std::uint8_t, std::uint16_t> u8;
    DownKernels<std::uint16_t, std::uint32_t> u16;
    DownKernels<float, float> f32;
    LumaKernel<std::uint8_t> luma_u8;
    LumaKernel<std::uint16_t> luma_u16;
    LumaKernel<float> luma_f32;
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(PyramidKernels, pyramid_kernels)
