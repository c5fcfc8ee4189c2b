// Cutting small 16-bit patches out of images of any pixel type, across any border.
#pragma once

#include <cstdint>

#include "core/simd/klt.hpp"
#include "core/types.hpp"

namespace trackcore {

inline constexpr double top_sample = 255 << simd::sample_bits;

/// Grey level -> sample: (value - offset) * scale, kept to 0 .. top_sample.
struct SampleMap {
    double offset = 0.0;
    double scale = 1 << simd::sample_bits;
};

/// Memory for one patch of at most `patch_side` pixels a side, with room for vectors to read past.
inline constexpr int patch_side = 80;
struct alignas(64) PatchBuffer {
    std::int16_t data[(patch_side + 2) * simd::patch_stride] = {};
};

/// Copies the width x height pixels at (x0, y0), which may lie anywhere: outside the image the
/// nearest pixel is repeated. A sample that is not finite becomes 0.
void cut_patch(const ImageView& image, int x0, int y0, int width, int height, const SampleMap& map,
               std::int16_t* dst, std::ptrdiff_t dst_stride = simd::patch_stride);

/// A map that suits the pixels at (x0, y0): the identity for 8-bit images; else their range, and
/// half as much on either side, fills the samples. `usable` is false where a pixel is not finite.
SampleMap sample_map(const ImageView& image, int x0, int y0, int width, int height, bool* usable);

}  // namespace trackcore
