#include "core/simd/blobs.hpp"

#include "core/simd/vec32.hpp"

namespace {

static_assert(trackcore::simd::blob_lanes % half_wide == 0);

/// Two vectors at once: one alone would wait for each of its sums.
struct Pair {
    WideFloat a, b;
};
inline Pair load_pair(const float* p) { return {load(p), load(p + half_wide)}; }
inline Pair scaled(const Pair& v, WideFloat by) { return {mul(v.a, by), mul(v.b, by)}; }
inline Pair sum(const Pair& v, const Pair& w) { return {add(v.a, w.a), add(v.b, w.b)}; }

void blur(const float* const* rows, int width, const float* taps, int reach, float* row,
          float* out) {
    constexpr int step = 2 * half_wide;
    float* const line = row + reach;
    const float* const* const here = rows + reach;
    for (int x = 0; x < width; x += step) {
        Pair total = scaled(load_pair(here[0] + x), all(taps[0]));
        for (int k = 1; k <= reach; ++k) {
            const Pair both = sum(load_pair(here[-k] + x), load_pair(here[k] + x));
            total = sum(total, scaled(both, all(taps[k])));
        }
        store(total.a, line + x);
        store(total.b, line + x + half_wide);
    }
    const float left = line[0], right = line[width - 1];
    for (int k = 1; k <= reach; ++k) {
        line[-k] = left;
        line[width - 1 + k] = right;
    }
    for (int x = 0; x < width; x += step) {
        Pair total = scaled(load_pair(line + x), all(taps[0]));
        for (int k = 1; k <= reach; ++k) {
            const Pair both = sum(load_pair(line + x - k), load_pair(line + x + k));
            total = sum(total, scaled(both, all(taps[k])));
        }
        store(total.a, out + x);
        store(total.b, out + x + half_wide);
    }
}

int maxima(const float* const (*images)[3], int width, float sign, float weakest, int* found) {
    const WideFloat turn = all(sign), least = all(weakest);
    const auto response = [&](int scale, int row, int x) {
        return mul(sub(load(images[scale][row] + x), load(images[scale + 1][row] + x)), turn);
    };
    const int end = width - 1;
    int n = 0;
    for (int x = 1; x < end; x += half_wide) {
        const WideFloat here = response(1, 1, x);
        unsigned good = above(here, least);
        if (end - x < half_wide) good &= (1u << (end - x)) - 1u;
        if (good == 0) continue;
        WideFloat most = max(response(0, 1, x), response(2, 1, x));
        for (int row = 0; row < 3; ++row)
            most = max(most, max(response(1, row, x - 1), response(1, row, x + 1)));
        most = max(most, max(response(1, 0, x), response(1, 2, x)));
        good &= ~above(most, here);
        for (; good != 0; good &= good - 1) {
            int bit = 0;
            while ((good >> bit & 1u) == 0) ++bit;
            found[n++] = x + bit;
        }
    }
    return n;
}

}  // namespace

namespace trackcore::simd {
const BlobKernels TRACKCORE_LEVEL_TABLE(blob_kernels){blur, maxima};
}  // namespace trackcore::simd
