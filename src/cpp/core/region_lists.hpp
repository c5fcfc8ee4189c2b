// How a RegionTemplate keeps its pixels; for the files that implement region.hpp only.
#pragma once

#include <cstdint>

#include "core/region.hpp"
#include "core/sampled_area.hpp"
#include "core/simd/region.hpp"

namespace trackcore {

inline int list_size(int pattern) {
    return simd::padded_pixels(pattern * pattern) + simd::list_slack;
}

inline const std::int16_t* values(const RegionTemplate& t) { return t.samples.data(); }
inline const std::int16_t* across(const RegionTemplate& t) {
    return t.samples.data() + list_size(t.pattern);
}
inline const std::int16_t* down(const RegionTemplate& t) {
    return t.samples.data() + 2 * list_size(t.pattern);
}

/// Products of a list with the template's values and the columns that its model needs.
inline simd::RegionSums correlate(const RegionTemplate& t, const PatternPositions& at,
                                  const float* list) {
    const auto& kernels = simd::region_kernels();
    const int n = jacobian_columns(t.model);
    const auto kernel = n == 2   ? kernels.correlate_2
                        : n == 6 ? kernels.correlate_6
                                 : kernels.correlate_8;
    simd::RegionSums sums{};
    kernel(list, values(t), across(t), down(t), at.u.data(), at.v.data(), t.pattern * t.pattern,
           &sums);
    return sums;
}

}  // namespace trackcore
