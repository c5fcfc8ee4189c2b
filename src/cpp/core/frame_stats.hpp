// How bright, contrasty, rough and edgy a frame is, block by block.
#pragma once

#include <cstdint>
#include <vector>

#include "core/types.hpp"

namespace trackcore {

/// What to measure; the rest is NaN, or 0 in the histogram.
enum FrameStatsGroup : unsigned {
    group_moments = 1,  ///< mean, variance
    group_rough = 2,
    group_slopes = 4,  ///< across, down, edges
    group_histogram = 8,
};

struct FrameStatsOptions {
    unsigned groups;    ///< of FrameStatsGroup
    int columns, rows;  ///< blocks the frame is divided into
    int row_step;       ///< every row_step-th row is looked at
    float edge;         ///< gradient that makes a pixel an edge [grey level / px]
    float white;        ///< grey level of the histogram's upper end
};

struct FrameStats {
    static constexpr int bins = 64;
    static constexpr int histogram_step = 4;  ///< of the rows looked at, every 4th is counted
    enum Measure { mean, variance, rough, across, down, edges, measures };

    /// Of each block, row by row; NaN where it has no pixel to measure on.
    ///   mean      of the grey levels
    ///   variance  of the grey levels about the block's mean
    ///   rough     mean of |N|, N = [1 -2 1]^T [1 -2 1]: blind to planes and straight edges
    ///   across    mean of the squared horizontal slope (I(x + 1) - I(x - 1)) / 2
    ///   down      the same vertically
    ///   edges     share of pixels whose slope is larger than `edge`
    std::vector<double> measure[measures];
    /// Pixels by grey level over [0, white], the ends include what lies beyond; NaN nowhere.
    std::int64_t histogram[bins];
};

/// Measures every `row_step`-th row, from row row_step / 2, in one pass over the image: a row is
/// added to sums kept by column, in strips that stay in the first cache, and those become blocks
/// where blocks end.
///
/// Block i of n begins at the pixel nearest to i * size / n, halves rounded down, so that blocks
/// whose number is a multiple of 3 make up the nine regions of `trackcore.frame_regions`.
/// Slopes and N need neighbours and leave out the image's outermost pixels.
/// Source of N: Immerkaer 1996, "Fast noise variance estimation".
///
/// @param threads  0 = all; the result depends neither on it nor on the CPU level
void frame_stats(const ImageView& image, const FrameStatsOptions& options, int threads,
                 FrameStats& out);

}  // namespace trackcore
