#include "core/simd/motion.hpp"

#include "core/simd/wide.hpp"

namespace {

using trackcore::simd::motion_lanes;
using trackcore::simd::WeightedPoints;
static_assert(motion_lanes == wide_lanes);

void affine_sums(const WeightedPoints& p, double* sums) {
    constexpr int count = 12;
    Wide sum[count];
    for (Wide& s : sum) s = all(0.0);
    for (std::ptrdiff_t k = 0; k < p.n; k += motion_lanes) {
        const Wide x = load(p.x + k), y = load(p.y + k), u = load(p.u + k), v = load(p.v + k);
        const Wide w = load(p.weight + k), wx = w * x, wy = w * y;
        sum[0] = sum[0] + w;
        sum[1] = sum[1] + wx;
        sum[2] = sum[2] + wy;
        sum[3] = sum[3] + wx * x;
        sum[4] = sum[4] + wx * y;
        sum[5] = sum[5] + wy * y;
        sum[6] = sum[6] + w * u;
        sum[7] = sum[7] + wx * u;
        sum[8] = sum[8] + wy * u;
        sum[9] = sum[9] + w * v;
        sum[10] = sum[10] + wx * v;
        sum[11] = sum[11] + wy * v;
    }
    for (int i = 0; i < count; ++i) sums[i] = total(sum[i]);
}

void plane_sums(const WeightedPoints& p, double g, double h, double* sums) {
    constexpr int count = 23;
    Wide sum[count];
    for (Wide& s : sum) s = all(0.0);
    for (std::ptrdiff_t k = 0; k < p.n; k += motion_lanes) {
        const Wide x = load(p.x + k), y = load(p.y + k), u = load(p.u + k), v = load(p.v + k);
        const Wide d = all(g) * x + all(h) * y + all(1.0);
        const Wide w = load(p.weight + k) / (d * d), wx = w * x, wy = w * y;
        const Wide product[6] = {wx * x, wx * y, wy * y, wx, wy, w};
        const Wide q = u * u + v * v;
        for (int i = 0; i < 6; ++i) {
            sum[i] = sum[i] + product[i];
            sum[6 + i] = sum[6 + i] + product[i] * u;
            sum[12 + i] = sum[12 + i] + product[i] * v;
        }
        for (int i = 0; i < 5; ++i) sum[18 + i] = sum[18 + i] + product[i] * q;
    }
    for (int i = 0; i < count; ++i) sums[i] = total(sum[i]);
}

constexpr double far2 = 1e300;

void distances2(const double* H, const WeightedPoints& p, double* r2) {
    Wide h[8];
    for (int i = 0; i < 8; ++i) h[i] = all(H[i]);
    for (std::ptrdiff_t k = 0; k < p.n; k += motion_lanes) {
        const Wide x = load(p.x + k), y = load(p.y + k);
        const Wide d = all(1.0) / (h[6] * x + h[7] * y + all(1.0));
        const Wide ru = (h[0] * x + h[1] * y + h[2]) * d - load(p.u + k);
        const Wide rv = (h[3] * x + h[4] * y + h[5]) * d - load(p.v + k);
        store(smaller(ru * ru + rv * rv, all(far2)), r2 + k);  // infinity less infinity is far
    }
}

void absolute_weights(const double* r2, std::ptrdiff_t n, double least, double* weight) {
    const Wide floor = all(least * least), one = all(least);
    for (std::ptrdiff_t k = 0; k < n; k += motion_lanes)
        store(one / root(larger(load(r2 + k), floor)), weight + k);
}

void tukey_weights(const double* r2, std::ptrdiff_t n, double cut2, double* weight) {
    const Wide one = all(1.0), scale = all(1.0 / cut2);
    for (std::ptrdiff_t k = 0; k < n; k += motion_lanes) {
        const Wide t = larger(one - load(r2 + k) * scale, all(0.0));
        store(t * t, weight + k);
    }
}

std::size_t count_below(const double* values, std::size_t n, double limit) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) count += values[i] < limit;
    return count;
}

}  // namespace

namespace trackcore::simd {
const MotionKernels TRACKCORE_LEVEL_TABLE(motion_kernels){
    affine_sums, plane_sums, distances2, absolute_weights, tukey_weights, count_below};
}  // namespace trackcore::simd
