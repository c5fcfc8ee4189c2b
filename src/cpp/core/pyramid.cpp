#include "core/pyramid.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#include "core/simd/pyramid.hpp"
#include "core/threads.hpp"

TRACKCORE_DEFINE_KERNELS(PyramidKernels, pyramid_kernels)

namespace trackcore {
namespace {

constexpr std::size_t alignment = 64;
constexpr int min_side = 2;      // a level of one pixel has nothing to match
constexpr int rows_a_band = 32;  // rows of the smaller level that one thread makes at a time

/// Row length in bytes: aligned, and never a multiple of 4096, where the rows of a patch would
/// compete for the same few cache lines.
std::size_t padded_stride(std::size_t bytes) {
    const std::size_t stride = (bytes + alignment - 1) / alignment * alignment;
    return stride % 4096 == 0 ? stride + alignment : stride;
}

int mirror(int i, int n) {
    if (n == 1) return 0;
    while (i < 0 || i >= n) i = i < 0 ? -i : 2 * (n - 1) - i;
    return i;
}

template <class T>
T* row_of(const ImageView& view, int y) {
    return const_cast<T*>(view.row<T>(y));
}

template <class Pixel>
simd::LumaKernel<Pixel> luma_kernel() {
    const auto& kernels = simd::pyramid_kernels();
    if constexpr (std::is_same_v<Pixel, std::uint8_t>)
        return kernels.luma_u8;
    else if constexpr (std::is_same_v<Pixel, std::uint16_t>)
        return kernels.luma_u16;
    else
        return kernels.luma_f32;
}

/// Copies row y of a source, whatever its layout, to packed grey samples.
template <class Pixel>
void grey_row(const SourceImage& source, int y, Pixel* dst) {
    constexpr std::ptrdiff_t sample = sizeof(Pixel);
    const char* row = static_cast<const char*>(source.grey.data) + y * source.grey.stride;
    const auto at = [&](int x, int channel) {
        Pixel value;  // memcpy: a strided view need not be aligned for its type
        std::memcpy(&value, row + x * source.pixel_stride + channel * source.channel_stride,
                    sizeof value);
        return value;
    };
    const int width = source.grey.width;
    if (source.channels >= 3) {
        const bool packed = source.channel_stride == sample &&
                            source.pixel_stride == source.channels * sample &&
                            reinterpret_cast<std::uintptr_t>(row) % sample == 0;
        if (packed)
            return luma_kernel<Pixel>()(reinterpret_cast<const Pixel*>(row), source.channels,
                                        source.bgr, width, dst);
        thread_local std::vector<Pixel> gathered;
        gathered.resize(3 * static_cast<std::size_t>(width));
        for (int x = 0; x < width; ++x)
            for (int channel = 0; channel < 3; ++channel)
                gathered[3 * static_cast<std::size_t>(x) + channel] = at(x, channel);
        luma_kernel<Pixel>()(gathered.data(), 3, source.bgr, width, dst);
    } else if (source.pixel_stride == sample) {
        std::memcpy(dst, row, static_cast<std::size_t>(width) * sizeof(Pixel));
    } else {
        for (int x = 0; x < width; ++x) dst[x] = at(x, 0);
    }
}

/// Rows [begin, end) of the half-size `small`. Each row of `large` is filtered across once and
/// kept, as five rows make one.
template <class Pixel, class Sum>
void halve_band(const simd::DownKernels<Pixel, Sum>& kernels, const ImageView& large,
                const ImageView& small, int begin, int end) {
    thread_local std::vector<Sum> ring;
    const std::size_t stride = static_cast<std::size_t>(small.width) + 64;
    ring.resize(5 * stride);
    const auto slot = [&](int y) {
        return ring.data() + static_cast<std::size_t>((y + 10) % 5) * stride;
    };
    const auto make = [&](int y) {
        kernels.across(large.row<Pixel>(mirror(y, large.height)), large.width, slot(y));
    };
    for (int y = 2 * begin - 2; y < 2 * begin + 1; ++y) make(y);
    for (int y = begin; y < end; ++y) {
        make(2 * y + 1);
        make(2 * y + 2);
        const Sum* rows[5];
        for (int i = 0; i < 5; ++i) rows[i] = slot(2 * y - 2 + i);
        kernels.down(rows, small.width, row_of<Pixel>(small, y));
    }
}

void halve_rows(const ImageView& large, const ImageView& small, int begin, int end) {
    const auto& kernels = simd::pyramid_kernels();
    switch (large.type) {
        case PixelType::u8:
            return halve_band(kernels.u8, large, small, begin, end);
        case PixelType::u16:
            return halve_band(kernels.u16, large, small, begin, end);
        case PixelType::f32:
            return halve_band(kernels.f32, large, small, begin, end);
    }
}

void copy_rows(const SourceImage& source, const ImageView& dst, int begin, int end) {
    for (int y = begin; y < end; ++y) {
        switch (dst.type) {
            case PixelType::u8:
                grey_row(source, y, row_of<std::uint8_t>(dst, y));
                break;
            case PixelType::u16:
                grey_row(source, y, row_of<std::uint16_t>(dst, y));
                break;
            case PixelType::f32:
                grey_row(source, y, row_of<float>(dst, y));
                break;
        }
    }
}

/// Threads worth waking for a level: small ones are done before another thread has begun.
int worthwhile(const ImageView& level, int threads) {
    constexpr std::int64_t least_pixels = 300'000;
    return std::int64_t{level.width} * level.height < least_pixels ? 1 : threads;
}

}  // namespace

void FramePyramid::build(const SourceImage& image, int levels, bool copy, int threads) {
    const ImageView& source = image.grey;
    const std::ptrdiff_t sample = pixel_size(source.type);
    const bool aligned =
        reinterpret_cast<std::uintptr_t>(source.data) % sample == 0 && source.stride % sample == 0;
    const bool plain = image.channels == 1 && image.pixel_stride == sample && aligned;
    refers_to_source_ = !copy && plain;

    n_levels_ = 0;  // empty until the memory is there
    int n = 0;
    std::size_t bytes = 0;
    std::size_t offset[max_levels] = {};
    ImageView view = source;
    for (int i = 0; i < std::clamp(levels, 1, int{max_levels}); ++i) {
        if (i > 0) {
            if (std::min(view.width, view.height) < 2 * min_side) break;
            view.width = (view.width + 1) / 2;
            view.height = (view.height + 1) / 2;
        }
        level_[i] = view;
        ++n;
        if (i == 0 && refers_to_source_) continue;
        const std::size_t stride = padded_stride(static_cast<std::size_t>(view.width * sample));
        level_[i].stride = static_cast<std::ptrdiff_t>(stride);
        level_[i].slack = true;  // the next row, or the arena's end, follows
        offset[i] = bytes;
        bytes += stride * static_cast<std::size_t>(view.height);
    }
    arena_.reserve(bytes + alignment);
    n_levels_ = n;
    for (int i = refers_to_source_ ? 1 : 0; i < n; ++i) level_[i].data = arena_.data() + offset[i];

    const auto over_rows = [&](const ImageView& level, auto body) {
        parallel_for(level.height, rows_a_band, worthwhile(level, threads), body);
    };
    int next = 1;
    if (!refers_to_source_ && plain && n > 1) {
        // Copied and halved in one go, while the rows are in the cache.
        over_rows(level_[1], [&](int begin, int end) {
            copy_rows(image, level_[0], 2 * begin, std::min(2 * end, source.height));
            halve_rows(source, level_[1], begin, end);
        });
        next = 2;
    } else if (!refers_to_source_) {
        over_rows(level_[0], [&](int begin, int end) { copy_rows(image, level_[0], begin, end); });
    }
    for (int i = next; i < n; ++i)
        over_rows(level_[i],
                  [&](int begin, int end) { halve_rows(level_[i - 1], level_[i], begin, end); });
}

}  // namespace trackcore
