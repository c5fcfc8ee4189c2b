// Exhaustive search for a pattern by zero-mean normalised cross-correlation.
#pragma once

#include <span>

#include "core/types.hpp"

namespace trackcore {

inline constexpr int max_pattern = 63;
inline constexpr int max_search = 255;

/// The best whole-pixel position of a pattern.
struct PatternHit {
    int x = 0, y = 0;    ///< of the pattern's first pixel in the area
    double ncc = 0.0;    ///< -1 .. 1
    bool found = false;  ///< false: the pattern is flat, or every window of the area is
};

/// Compares `pattern` with every window of `area` and returns the best; of equal ones the first in
/// reading order. Both have one pixel type; pattern sides up to `max_pattern`, area sides up to
/// `max_search`.
///
/// 8-bit images: integer sums throughout, so that the answer is exact and the same at every CPU
/// level. Others: sums in float32 of values scaled to the pattern's range choose the candidates,
/// and double precision decides. Windows that are flat or hold values that are not finite never
/// match.
///
/// @param map  empty, or one value per window, row by row, (area.height - pattern.height + 1) x
///             (area.width - pattern.width + 1): its ncc, NaN where it cannot match
PatternHit find_pattern(const ImageView& pattern, const ImageView& area, std::span<float> map = {});

}  // namespace trackcore
