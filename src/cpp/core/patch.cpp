#include "core/patch.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

TRACKCORE_DEFINE_KERNELS(KltKernels, klt_kernels)

namespace trackcore {
namespace {

template <class Pixel>
std::int16_t to_sample(Pixel value, const SampleMap& map) {
    const double sample = (static_cast<double>(value) - map.offset) * map.scale;
    // Not finite -> 0: both comparisons are false for NaN.
    return sample > 0.0 ? static_cast<std::int16_t>(std::min(sample, top_sample) + 0.5)
                        : std::int16_t{0};
}

template <class Pixel, class Body>
void for_clamped(const ImageView& image, int x0, int y0, int width, int height, Body body) {
    for (int y = 0; y < height; ++y) {
        const Pixel* row = image.row<Pixel>(std::clamp(y0 + y, 0, image.height - 1));
        for (int x = 0; x < width; ++x) body(x, y, row[std::clamp(x0 + x, 0, image.width - 1)]);
    }
}

template <class Pixel>
void cut_clamped(const ImageView& image, int x0, int y0, int width, int height,
                 const SampleMap& map, std::int16_t* dst, std::ptrdiff_t dst_stride) {
    for_clamped<Pixel>(image, x0, y0, width, height, [&](int x, int y, Pixel value) {
        dst[y * dst_stride + x] = to_sample(value, map);
    });
}

/// 8-bit pixels across a border: each row is gathered with the border repeated, then widened.
void cut_across_border(const ImageView& image, int x0, int y0, int width, int height,
                       std::int16_t* dst, std::ptrdiff_t dst_stride) {
    constexpr int longest = 512;
    if (width > longest)
        return cut_clamped<std::uint8_t>(image, x0, y0, width, height, {}, dst, dst_stride);
    std::uint8_t bytes[longest + simd::row_slack];
    const int first = std::clamp(-x0, 0, width), last = std::clamp(image.width - x0, first, width);
    for (int y = 0; y < height; ++y) {
        const auto* row = image.row<std::uint8_t>(std::clamp(y0 + y, 0, image.height - 1));
        std::memset(bytes, row[0], static_cast<std::size_t>(first));
        if (last > first)
            std::memcpy(bytes + first, row + x0 + first, static_cast<std::size_t>(last - first));
        std::memset(bytes + last, row[image.width - 1],
                    static_cast<std::size_t>(width - last + simd::row_slack));
        simd::klt_kernels().widen(bytes, 0, width, 1, dst + y * dst_stride, dst_stride);
    }
}

/// Whether `widen` may read its slack past every row of these, which lie inside the image.
bool slack_readable(const ImageView& image, int x0, int y0, int width, int height) {
    if (image.slack || x0 + width + simd::row_slack <= image.width) return true;
    return image.stride >= simd::row_slack && y0 + height < image.height;  // the next row follows
}

template <class Pixel>
SampleMap range_map(const ImageView& image, int x0, int y0, int width, int height, bool* usable) {
    double lo = 1e300, hi = -1e300, check = 0.0;
    for_clamped<Pixel>(image, x0, y0, width, height, [&](int, int, Pixel value) {
        const double v = static_cast<double>(value);
        lo = std::min(lo, v);
        hi = std::max(hi, v);
        check += 0.0 * v;  // NaN as soon as one value is not finite
    });
    *usable = check == 0.0;
    const double span = hi - lo;
    if (!*usable || !(span > 0.0)) return {lo, 1.0};
    return {lo - 0.5 * span, top_sample / (2.0 * span)};
}

}  // namespace

void cut_patch(const ImageView& image, int x0, int y0, int width, int height, const SampleMap& map,
               std::int16_t* dst, std::ptrdiff_t dst_stride) {
    switch (image.type) {
        case PixelType::u8:
            if (x0 >= 0 && y0 >= 0 && x0 + width <= image.width && y0 + height <= image.height &&
                slack_readable(image, x0, y0, width, height))
                return simd::klt_kernels().widen(image.row<std::uint8_t>(y0) + x0, image.stride,
                                                 width, height, dst, dst_stride);
            return cut_across_border(image, x0, y0, width, height, dst, dst_stride);
        case PixelType::u16:
            return cut_clamped<std::uint16_t>(image, x0, y0, width, height, map, dst, dst_stride);
        case PixelType::f32:
            return cut_clamped<float>(image, x0, y0, width, height, map, dst, dst_stride);
    }
}

SampleMap sample_map(const ImageView& image, int x0, int y0, int width, int height, bool* usable) {
    *usable = true;
    switch (image.type) {
        case PixelType::u16:
            return range_map<std::uint16_t>(image, x0, y0, width, height, usable);
        case PixelType::f32:
            return range_map<float>(image, x0, y0, width, height, usable);
        default:
            return {};
    }
}

}  // namespace trackcore
