#include "core/simd/frame_stats.hpp"

#include <math.h>

// Plain loops without dependences between columns: the compiler makes vectors of them, and every
// level adds the same numbers in the same order.
namespace {

template <class Pixel>
void widen(const Pixel* __restrict src, int n, float* __restrict dst) {
    for (int x = 0; x < n; ++x) dst[x] = static_cast<float>(src[x]);
}

template <class Sum>
void moments(const float* __restrict row, int n, Sum* __restrict level, Sum* __restrict squared) {
    for (int x = 0; x < n; ++x) {
        const Sum value = static_cast<Sum>(row[x]);
        level[x] += value;
        squared[x] += value * value;
    }
}

template <class Sum>
void rough(const float* __restrict above, const float* __restrict here,
           const float* __restrict below, int n, float* __restrict bent, Sum* __restrict sums) {
    for (int x = 0; x < n; ++x) bent[x] = (above[x] + below[x]) - 2.0f * here[x];
    for (int x = 1; x < n - 1; ++x)
        sums[x] += static_cast<Sum>(fabsf((bent[x - 1] + bent[x + 1]) - 2.0f * bent[x]));
}

template <class Sum>
void slopes(const float* __restrict above, const float* __restrict here,
            const float* __restrict below, int n, float edge, Sum* __restrict across,
            Sum* __restrict down, Sum* __restrict edges) {
    for (int x = 1; x < n - 1; ++x) {
        const float dx = here[x + 1] - here[x - 1], dy = below[x] - above[x];
        const float xx = dx * dx, yy = dy * dy;
        across[x] += static_cast<Sum>(xx);
        down[x] += static_cast<Sum>(yy);
        edges[x] += static_cast<Sum>(xx + yy > edge ? 1.0f : 0.0f);
    }
}

}  // namespace

namespace trackcore::simd {
const FrameStatsKernels TRACKCORE_LEVEL_TABLE(frame_stats_kernels){
    widen<std::uint8_t>,
    widen<std::uint16_t>,
    {moments<float>, rough<float>, slopes<float>},
    {moments<double>, rough<double>, slopes<double>},
};
}  // namespace trackcore::simd
