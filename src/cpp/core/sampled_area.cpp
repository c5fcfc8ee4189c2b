#include "core/sampled_area.hpp"

#include <algorithm>
#include <cmath>

#include "core/motion_models.hpp"
#include "core/simd/region.hpp"
#include "core/sinc.hpp"

namespace trackcore {
namespace {

constexpr int margin = 3;         // pixels a pattern may move before its image is cut again
constexpr int largest_fine = 96;  // side of an area that is interpolated [px]
constexpr int largest = 252;      // side of a warped pattern [px]
constexpr double rounding = 0.5;  // positions are float32 in the kernels: stay this far inside

struct Memory {
    std::vector<std::int16_t> patch, scratch;
    std::vector<std::int32_t> grid;
};

Memory& memory() {
    thread_local Memory m;
    return m;
}

}  // namespace

const PatternPositions& pattern_positions(int pattern) {
    thread_local PatternPositions p;
    if (p.pattern == pattern) return p;
    const auto n = static_cast<std::size_t>(simd::padded_pixels(pattern * pattern));
    p.u.assign(n, 0.0f), p.v.assign(n, 0.0f);
    const double half = 0.5 * (pattern - 1);
    for (int i = 0; i < pattern * pattern; ++i) {
        const int x = i % pattern, y = i / pattern;
        p.u[i] = static_cast<float>((x - half) / half);
        p.v[i] = static_cast<float>((y - half) / half);
    }
    p.pattern = pattern;
    return p;
}

bool SampledArea::cover(const Mat3& warp) {
    double lo_x = 1e300, lo_y = 1e300, hi_x = -1e300, hi_y = -1e300;
    for (const Vec2 corner : {Vec2{-1, -1}, Vec2{1, -1}, Vec2{-1, 1}, Vec2{1, 1}}) {
        const Vec2 p = apply(warp, corner);
        lo_x = std::min(lo_x, p.x), hi_x = std::max(hi_x, p.x);
        lo_y = std::min(lo_y, p.y), hi_y = std::max(hi_y, p.y);
    }
    if (lo_x >= x0_ + rounding && lo_y >= y0_ + rounding && hi_x <= x0_ + width_ - 1 - rounding &&
        hi_y <= y0_ + height_ - 1 - rounding)
        return true;
    if (!(hi_x - lo_x < largest && hi_y - lo_y < largest)) return false;
    x0_ = static_cast<int>(std::floor(lo_x)) - margin;
    y0_ = static_cast<int>(std::floor(lo_y)) - margin;
    width_ = static_cast<int>(std::ceil(hi_x)) + margin + 1 - x0_;
    height_ = static_cast<int>(std::ceil(hi_y)) + margin + 1 - y0_;
    return cut();
}

bool SampledArea::cut() {
    constexpr int before = simd::taps_before, taps = before + simd::taps_after;
    const auto& kernels = simd::region_kernels();
    Memory& m = memory();
    // Rows have room for whole vectors, in and out.
    const int wide = (width_ + simd::column_room - 1) / simd::column_room * simd::column_room;
    const std::ptrdiff_t stride = wide + taps + simd::column_room;
    const auto samples = static_cast<std::size_t>(stride * (height_ + taps + 1));
    if (m.patch.size() < samples) m.patch.resize(samples), m.scratch.resize(samples);
    per_pixel_ = std::max(width_, height_) <= largest_fine ? 2 : 1;
    grid_stride_ = per_pixel_ * wide + 4;
    const auto cells = static_cast<std::size_t>(grid_stride_ * per_pixel_ * height_);
    if (m.grid.size() < cells) m.grid.resize(cells);
    grid_ = m.grid.data();

    const int left = x0_ - before, top = y0_ - before;
    bool finite = true;
    if (image_.type == PixelType::f32 || (image_.type == PixelType::u16 && own_map_)) {
        const SampleMap own = sample_map(image_, left, top, width_ + taps, height_ + taps, &finite);
        if (own_map_) map_ = own;
    }
    if (!finite) {
        width_ = height_ = 0;  // covers nothing
        return false;
    }
    cut_patch(image_, left, top, width_ + taps, height_ + taps, map_, m.patch.data(), stride);
    const std::int16_t* patch = m.patch.data() + before * stride + before;
    if (per_pixel_ == 2)  // the filter is symmetric: the first four taps say it all
        kernels.halve_spacing(patch, stride, width_, height_, sinc_taps(1 << 14), m.scratch.data(),
                              m.grid.data(), grid_stride_);
    else
        kernels.keep_spacing(patch, stride, width_, height_, m.grid.data(), grid_stride_);
    return true;
}

void SampledArea::sample(const Mat3& warp, const PatternPositions& at, double base,
                         float* values) const {
    float m[9];
    for (int i = 0; i < 3; ++i) {
        m[i] = static_cast<float>(per_pixel_ * (warp.m[i] - x0_ * warp.m[6 + i]));
        m[3 + i] = static_cast<float>(per_pixel_ * (warp.m[3 + i] - y0_ * warp.m[6 + i]));
        m[6 + i] = static_cast<float>(warp.m[6 + i]);
    }
    const auto& kernels = simd::region_kernels();
    const bool affine = m[6] == 0.0f && m[7] == 0.0f;
    (affine ? kernels.sample_affine : kernels.sample_perspective)(
        {grid_, grid_stride_}, m, at.u.data(), at.v.data(), at.pattern * at.pattern,
        static_cast<float>(base), values);
}

}  // namespace trackcore
