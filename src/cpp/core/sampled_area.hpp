// The part of an image under a pattern, ready to be sampled between pixels.
#pragma once

#include <cstdint>
#include <vector>

#include "core/patch.hpp"
#include "core/types.hpp"

namespace trackcore {

/// Positions of a pattern's pixels, row by row, -1 .. 1; padded with zeros as the kernels want.
struct PatternPositions {
    int pattern = 0;
    std::vector<float> u, v;
};

/// Those of a pattern of this size, kept per thread.
const PatternPositions& pattern_positions(int pattern);

/// Samples an image under warps of a pattern that do not differ much.
///
/// The pixels are cut once, with a margin, and interpolated once to half-pixel spacing with an
/// 8-tap filter; between those, sampling is linear. Its phase error at half spacing is an eighth
/// of that between whole pixels, at the cost of one filter pass for all iterations together.
/// Very large areas are sampled at their own spacing.
///
/// 16-bit and float images are read through `map`, or, where brightness may differ, through one of
/// their own, so that no sample is out of range.
class SampledArea {
  public:
    SampledArea(const ImageView& image, const SampleMap& map, bool own_map)
        : image_(image), map_(map), own_map_(own_map) {}

    /// Makes sure that the warped pattern lies inside; false when it is too large, or meets values
    /// that are not finite. `warp` maps positions in the pattern to pixels.
    bool cover(const Mat3& warp);
    const SampleMap& map() const { return map_; }

    /// Samples at the pattern's positions, less `base`. The warp must be covered.
    void sample(const Mat3& warp, const PatternPositions& at, double base, float* values) const;

  private:
    bool cut();

    const ImageView& image_;
    SampleMap map_;
    const bool own_map_;
    int x0_ = 0, y0_ = 0, width_ = 0, height_ = 0;
    int per_pixel_ = 1, grid_stride_ = 0;  // samples per pixel, elements per row
    const std::int32_t* grid_ = nullptr;
};

}  // namespace trackcore
