#include "core/simd/detect.hpp"

#include "core/simd/vec32.hpp"

#if defined(_MSC_VER)
#define TRACKCORE_RESTRICT __restrict
#else
#define TRACKCORE_RESTRICT __restrict__
#endif

namespace {

constexpr int whole = trackcore::simd::corner_lanes;
constexpr float most_float = 3.4e38f;
constexpr int max_columns = trackcore::simd::max_corner_columns;

inline std::int32_t bits_of(float value) {
    std::int32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

/// The largest of n floats that are not negative, given as their bits: those are ordered alike,
/// and compilers know how to find the largest of many integers.
template <class BitsAt>
inline float largest_of(int n, BitsAt bits_at) {
    std::int32_t most = 0;
    for (int x = 0; x < n; ++x) most = bits_at(x) > most ? bits_at(x) : most;
    float result = 0.0f;
    std::memcpy(&result, &most, sizeof result);
    return result;
}

// ---- 8-bit images ----

inline void blur_at(const std::uint8_t* above, const std::uint8_t* here, const std::uint8_t* below,
                    int x, std::int16_t* smooth, std::int16_t* diff) {
    const Wide16 a = Wide16::load_u8(above + x), b = Wide16::load_u8(below + x);
    const Wide16 h = Wide16::load_u8(here + x);
    add(add(a, b), add(h, h)).store(smooth + x);
    sub(b, a).store(diff + x);
}

void blur_u8(const std::uint8_t* above, const std::uint8_t* here, const std::uint8_t* below, int n,
             std::int16_t* smooth, std::int16_t* diff) {
    int x = 0;
    for (; x + wide <= n; x += wide) blur_at(above, here, below, x, smooth, diff);
    if (x < n && n >= wide) {  // the caller's pixels end here: step back instead of reading on
        blur_at(above, here, below, n - wide, smooth, diff);
        x = n;
    }
    for (; x < n; ++x) {
        smooth[x] = static_cast<std::int16_t>(above[x] + 2 * here[x] + below[x]);
        diff[x] = static_cast<std::int16_t>(below[x] - above[x]);
    }
}

/// sum += (product of a row that enters) - (product of the row that leaves)
inline void slide(std::int32_t* sum, const Wide16& enter_a, const Wide16& leave_a,
                  const Wide16& enter_b, const Wide16& minus_leave_b) {
    const Wide32 low = dot_pairs(low_pairs(enter_a, leave_a), low_pairs(enter_b, minus_leave_b));
    const Wide32 high = dot_pairs(high_pairs(enter_a, leave_a), high_pairs(enter_b, minus_leave_b));
    store(add(load(sum), low), sum);
    store(add(load(sum + half_wide), high), sum + half_wide);
}

void accumulate_u8(const std::int16_t* smooth, const std::int16_t* diff, std::int16_t* const* dx,
                   std::int16_t* const* dy, int block, int n, std::int32_t* xx, std::int32_t* xy,
                   std::int32_t* yy) {
    const std::int16_t *old_dx = dx[0], *old_dy = dy[0];
    std::int16_t *new_dx = dx[block], *new_dy = dy[block];
    const Wide16 zero = Wide16::all(0);
    for (int x = 0; x < n; x += wide) {
        const std::int16_t *s = smooth + x, *d = diff + x;
        const Wide16 mid = Wide16::load(d);
        const Wide16 gx = spread(sub(Wide16::load(s + 1), Wide16::load(s - 1)));
        const Wide16 gy = spread(add(add(mid, mid), add(Wide16::load(d - 1), Wide16::load(d + 1))));
        const Wide16 ox = Wide16::load(old_dx + x), oy = Wide16::load(old_dy + x);
        const Wide16 minus_ox = sub(zero, ox), minus_oy = sub(zero, oy);
        gx.store(new_dx + x);
        gy.store(new_dy + x);
        slide(xx + x, gx, ox, gx, minus_ox);
        slide(xy + x, gx, ox, gy, minus_oy);
        slide(yy + x, gy, oy, gy, minus_oy);
    }
}

/// Twice the smaller eigenvalue: (xx + yy) - sqrt((xx - yy)^2 + (2 xy)^2).
inline WideFloat twice_least(const Wide32& xx, const Wide32& xy, const Wide32& yy) {
    const WideFloat a = to_float(xx), b = to_float(xy), c = to_float(yy);
    const WideFloat difference = sub(a, c), twice_b = add(b, b);
    const WideFloat root = square_root(add(mul(difference, difference), mul(twice_b, twice_b)));
    return max(sub(add(a, c), root), all(0.0f));  // rounding may leave less than nothing
}

/// Sum of `taps` neighbouring columns.
template <int taps>
inline Wide32 across(const std::int32_t* p, int block) {
    const int count = taps > 0 ? taps : block;
    p -= count / 2;
    Wide32 total = load(p);
    for (int i = 1; i < count; ++i) total = add(total, load(p + i));
    return total;
}

inline float largest(const WideFloat& a) {
    float lanes[half_wide];
    store(a, lanes);
    float most = 0.0f;
    for (const float lane : lanes) most = lane > most ? lane : most;
    return most;
}

template <int taps>
inline float strength_with(const std::int32_t* xx, const std::int32_t* xy, const std::int32_t* yy,
                           int block, int n, float* out) {
    WideFloat most = all(0.0f);
    int x = 0;
    for (; x + half_wide <= n; x += half_wide) {
        const WideFloat v = twice_least(across<taps>(xx + x, block), across<taps>(xy + x, block),
                                        across<taps>(yy + x, block));
        store(v, out + x);
        most = max(most, v);
    }
    if (x < n) {
        store(twice_least(across<taps>(xx + x, block), across<taps>(xy + x, block),
                          across<taps>(yy + x, block)),
              out + x);
        for (int i = n; i < x + half_wide; ++i) out[i] = 0.0f;
        most = max(most, load(out + x));
        x += half_wide;
    }
    for (; x % whole != 0; ++x) out[x] = 0.0f;
    return largest(most);
}

float strength_u8(const std::int32_t* xx, const std::int32_t* xy, const std::int32_t* yy, int block,
                  int n, float* out) {
    if (block == 3) return strength_with<3>(xx, xy, yy, block, n, out);
    return strength_with<0>(xx, xy, yy, block, n, out);
}

// ---- other pixels: plain loops in float and double ----

template <class Pixel>
void blur_plain(const Pixel* above, const Pixel* here, const Pixel* below, int n, float* smooth,
                float* diff) {
    for (int x = 0; x < n; ++x) {
        const float a = static_cast<float>(above[x]), b = static_cast<float>(below[x]);
        const float h = static_cast<float>(here[x]);
        smooth[x] = (a + b) + (h + h);
        diff[x] = b - a;
    }
}

// Sums are made anew for each row: a value that is not finite must not outlive its block.
void accumulate_plain(const float* smooth, const float* diff, float* const* dx, float* const* dy,
                      int block, int n, double* TRACKCORE_RESTRICT xx,
                      double* TRACKCORE_RESTRICT xy, double* TRACKCORE_RESTRICT yy) {
    float* TRACKCORE_RESTRICT new_dx = dx[block];
    float* TRACKCORE_RESTRICT new_dy = dy[block];
    for (int x = 0; x < n; ++x) {
        new_dx[x] = smooth[x + 1] - smooth[x - 1];
        new_dy[x] = (diff[x] + diff[x]) + (diff[x - 1] + diff[x + 1]);
        xx[x] = xy[x] = yy[x] = 0.0;
    }
    for (int k = 1; k <= block; ++k) {
        const float* TRACKCORE_RESTRICT gx = dx[k];
        const float* TRACKCORE_RESTRICT gy = dy[k];
        for (int x = 0; x < n; ++x) {
            const double a = gx[x], b = gy[x];
            xx[x] += a * a;
            xy[x] += a * b;
            yy[x] += b * b;
        }
    }
}

/// Sums of `block` neighbouring columns.
void across_plain(const double* TRACKCORE_RESTRICT p, int block, int n,
                  double* TRACKCORE_RESTRICT out) {
    for (int x = 0; x < n; ++x) out[x] = 0.0;
    for (int i = -(block / 2); i < block - block / 2; ++i)
        for (int x = 0; x < n; ++x) out[x] += p[x + i];
}

float strength_plain(const double* xx, const double* xy, const double* yy, int block, int n,
                     float* TRACKCORE_RESTRICT out) {
    double a[max_columns], b[max_columns], c[max_columns];
    across_plain(xx, block, n, a);
    across_plain(xy, block, n, b);
    across_plain(yy, block, n, c);
    for (int x = 0; x < n; ++x) {
        const double root = square_root((a[x] - c[x]) * (a[x] - c[x]) + 4.0 * b[x] * b[x]);
        const float v = static_cast<float>((a[x] + c[x]) - root);
        const float positive = v > 0.0f ? v : 0.0f;  // also where it is not a number
        out[x] = positive < most_float ? positive : most_float;
    }
    for (int x = n; x % whole != 0; ++x) out[x] = 0.0f;
    return largest_of(n, [&](int x) { return bits_of(out[x]); });
}

// ---- local maxima ----

float largest_where(const float* value, const std::uint8_t* where, int n) {
    return largest_of(n, [&](int x) { return where[x] != 0 ? bits_of(value[x]) : 0; });
}

/// Writes the lanes of `value` whose bit is set, and their columns, without a branch. May write
/// a whole vector. Returns how many bits are set.
#if defined(__AVX512BW__)

inline int write_lanes(WideFloat value, unsigned bits, int x, std::int32_t* column, float* out) {
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __mmask16 mask = static_cast<__mmask16>(bits);
    const __m512i at = _mm512_add_epi32(first, _mm512_set1_epi32(x));
    _mm512_storeu_si512(column, _mm512_maskz_compress_epi32(mask, at));
    _mm512_storeu_ps(out, _mm512_maskz_compress_ps(mask, value.v));
    return _mm_popcnt_u32(bits);
}

#elif defined(__AVX2__)

/// For each set of eight lanes, the lanes in it from the first up.
struct SetLanes {
    std::uint8_t lane[256][8] = {};
    constexpr SetLanes() {
        for (int bits = 0; bits < 256; ++bits) {
            int count = 0;
            for (int i = 0; i < 8; ++i)
                if (bits >> i & 1) lane[bits][count++] = static_cast<std::uint8_t>(i);
        }
    }
};
constexpr SetLanes set_lanes;

inline int write_lanes(WideFloat value, unsigned bits, int x, std::int32_t* column, float* out) {
    const __m256i lanes = _mm256_cvtepu8_epi32(
        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(set_lanes.lane[bits])));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(column),
                        _mm256_add_epi32(lanes, _mm256_set1_epi32(x)));
    _mm256_storeu_ps(out, _mm256_permutevar8x32_ps(value.v, lanes));
    return static_cast<int>(_mm_popcnt_u32(bits));
}

#else

inline int write_lanes(const WideFloat& value, unsigned bits, int x, std::int32_t* column,
                       float* out) {
    float lanes[half_wide];
    store(value, lanes);
    int count = 0;
    for (int i = 0; i < half_wide; ++i) {
        column[count] = x + i;
        out[count] = lanes[i];
        count += static_cast<int>(bits >> i & 1u);
    }
    return count;
}

#endif

int peaks(const float* up, const float* here, const float* down, int n, float threshold,
          std::int32_t* column, float* value) {
    // Where anything is strong enough is as good as random: note it without a branch, then visit.
    std::int32_t busy[max_columns / half_wide];
    int n_busy = 0;
    const WideFloat limit = all(threshold);
    for (int x = 0; x < n; x += half_wide) {
        busy[n_busy] = x;
        n_busy += above(load(here + x), limit) != 0;
    }
    int count = 0;
    for (int i = 0; i < n_busy; ++i) {
        const int x = busy[i];
        const WideFloat v = load(here + x);
        const auto three = [&](const float* row) {
            return max(max(load(row + x - 1), load(row + x)), load(row + x + 1));
        };
        const WideFloat beside = max(load(here + x - 1), load(here + x + 1));
        const WideFloat around = max(max(three(up), three(down)), beside);
        unsigned bits = above(v, limit) & ~above(around, v);
        if (n - x < half_wide) bits &= (1u << (n - x)) - 1u;
        count += write_lanes(v, bits, x, column + count, value + count);
    }
    return count;
}

}  // namespace

namespace trackcore::simd {
const DetectKernels TRACKCORE_LEVEL_TABLE(detect_kernels){
    {blur_u8, accumulate_u8, strength_u8},
    {blur_plain<std::uint16_t>, accumulate_plain, strength_plain},
    {blur_plain<float>, accumulate_plain, strength_plain},
    largest_where,
    peaks};
}  // namespace trackcore::simd
