#include "core/order.hpp"

#include <algorithm>
#include <limits>

#include "core/simd/motion.hpp"

namespace trackcore {
namespace {

constexpr std::size_t sample_size = 15;
constexpr std::size_t smallest = 64;  // below it, the sample is not worth its time

}  // namespace

double nth_smallest(std::span<const double> values, std::size_t k, std::vector<double>& scratch) {
    const std::size_t n = values.size();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    // The k-th smallest is at least lo, below which there are `below`, and less than hi.
    double lo = -infinity, hi = infinity;
    std::size_t below = 0;
    if (n >= smallest) {
        double sample[sample_size];
        for (std::size_t i = 0; i < sample_size; ++i) sample[i] = values[i * n / sample_size];
        std::sort(sample, sample + sample_size);
        const auto count_below = simd::motion_kernels().count_below;
        std::size_t first = 0, last = sample_size;
        while (first < last) {
            const std::size_t middle = (first + last) / 2;
            const std::size_t count = count_below(values.data(), n, sample[middle]);
            if (count <= k) {
                lo = sample[middle];
                below = count;
                first = middle + 1;
            } else {
                hi = sample[middle];
                last = middle;
            }
        }
    }
    scratch.resize(n);
    std::size_t within = 0;
    for (const double value : values) {
        scratch[within] = value;
        within += (value >= lo) & ((value < hi) | (hi == infinity));
    }
    const auto nth = scratch.begin() + static_cast<std::ptrdiff_t>(k - below);
    std::nth_element(scratch.begin(), nth, scratch.begin() + static_cast<std::ptrdiff_t>(within));
    return *nth;
}

}  // namespace trackcore
