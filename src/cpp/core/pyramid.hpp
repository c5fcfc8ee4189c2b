// FramePyramid: one frame at several scales, built once and shared by every track.
#pragma once

#include <cstddef>

#include "core/arena.hpp"
#include "core/types.hpp"

namespace trackcore {

/// An image as callers have it: any strides, grey or colour.
struct SourceImage {
    ImageView grey;                   ///< the first channel; `stride` is its row stride
    std::ptrdiff_t pixel_stride = 0;  ///< bytes from one pixel to the next; may be negative
    std::ptrdiff_t channel_stride = 0;
    int channels = 1;  ///< 1 grey, 3 colour, 4 colour and alpha (ignored)
    bool bgr = true;   ///< order of colour channels
};

/// Level 0 is the frame; each further level is the one before, filtered with [1 4 6 4 1] / 16 in
/// both directions and halved: pixel x of level l lies at x * 2^l of level 0.
///
/// Memory is one arena, used again by the next `build` or the next pyramid. Integer
/// levels are the same bits at every CPU level and for every number of threads.
/// Source: Burt & Adelson 1983, "The Laplacian pyramid as a compact image code".
class FramePyramid {
  public:
    static constexpr int max_levels = 8;

    /// Builds up to `levels` levels: fewer when a level would be smaller than `min_side`.
    /// With `copy` false, level 0 refers to the caller's memory where its layout allows (grey,
    /// unit pixel stride); the caller keeps that memory alive and unchanged.
    void build(const SourceImage& image, int levels, bool copy, int threads);

    int levels() const { return n_levels_; }
    const ImageView& level(int index) const { return level_[index]; }
    bool refers_to_source() const { return refers_to_source_; }

  private:
    Arena arena_;
    ImageView level_[max_levels];
    int n_levels_ = 0;
    bool refers_to_source_ = false;
};

}  // namespace trackcore
