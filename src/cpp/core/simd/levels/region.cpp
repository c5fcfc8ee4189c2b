#include "core/simd/region.hpp"

#include "core/simd/vec32.hpp"

namespace {

using trackcore::simd::RegionSums;
using trackcore::simd::SampleGrid;

constexpr int weight_one = 1 << 14;

/// Derivative across five samples: (8 (c1 - b1) - (c2 - b2)) / 12, error of fourth order.
template <int N>
inline I16<N> derivative(I16<N> b2, I16<N> b1, I16<N> c1, I16<N> c2) {
    const I16<N> near = mul_round15(sub(c1, b1), I16<N>::all(21845));
    const I16<N> far = mul_round15(sub(c2, b2), I16<N>::all(2731));
    return sub(near, far);
}

void make_list(const std::int16_t* patch, std::ptrdiff_t stride, int side, int base,
               std::int16_t* t, std::int16_t* gx, std::int16_t* gy) {
    // Row by row: what one writes past its end, the next overwrites.
    for (int y = 0; y < side; ++y)
        for_columns(side, [&]<int N>(int x, I16<N>) {
            const std::int16_t* p = patch + (y + 2) * stride + x + 2;
            const auto at = [&](std::ptrdiff_t offset) { return I16<N>::load(p + offset); };
            const int to = y * side + x;
            sub(at(0), I16<N>::all(base)).store(t + to);
            derivative(at(-2), at(-1), at(1), at(2)).store(gx + to);
            derivative(at(-2 * stride), at(-stride), at(stride), at(2 * stride)).store(gy + to);
        });
}

void make_columns(const std::int16_t* t, const std::int16_t* gx, const std::int16_t* gy,
                  const float* u, const float* v, int n, std::ptrdiff_t columns_stride,
                  float* columns) {
    for (int i = 0; i < n; i += half_wide) {
        const WideFloat x = to_float(gx + i), y = to_float(gy + i);
        const WideFloat pu = load(u + i), pv = load(v + i);
        const WideFloat ux = mul(pu, x), vx = mul(pv, x), uy = mul(pu, y), vy = mul(pv, y);
        const WideFloat along = add(ux, vy);
        const WideFloat column[9] = {to_float(t + i), x, y, ux, vx, uy, vy, mul(pu, along),
                                     mul(pv, along)};
        for (int k = 0; k < 9; ++k) store(column[k], columns + k * columns_stride + i);
    }
}

/// The sample half way between b3 and c0: a filter of eight taps, the same on both sides.
template <int N, class At>
inline I16<N> half_way(const I16<N> (&taps)[4], At at) {
    I16<N> total = mul_round15(add(at(-3), at(4)), taps[0]);
    total = add(total, mul_round15(add(at(-2), at(3)), taps[1]));
    total = add(total, mul_round15(add(at(-1), at(2)), taps[2]));
    return add(total, mul_round15(add(at(0), at(1)), taps[3]));
}

// ---- dst[2 i] = (a[i], below_a[i]), dst[2 i + 1] = (b[i], below_b[i]) ----

#if defined(__AVX2__)
inline void store_pairs(I16<8> a, I16<8> below_a, I16<8> b, I16<8> below_b, std::int32_t* dst) {
    const __m128i a0 = _mm_unpacklo_epi16(a.v, below_a.v), a1 = _mm_unpackhi_epi16(a.v, below_a.v);
    const __m128i b0 = _mm_unpacklo_epi16(b.v, below_b.v), b1 = _mm_unpackhi_epi16(b.v, below_b.v);
    auto* out = reinterpret_cast<__m128i*>(dst);
    _mm_storeu_si128(out, _mm_unpacklo_epi32(a0, b0));
    _mm_storeu_si128(out + 1, _mm_unpackhi_epi32(a0, b0));
    _mm_storeu_si128(out + 2, _mm_unpacklo_epi32(a1, b1));
    _mm_storeu_si128(out + 3, _mm_unpackhi_epi32(a1, b1));
}

inline void store_pairs(I16<16> a, I16<16> below_a, I16<16> b, I16<16> below_b, std::int32_t* dst) {
    // Interleaving works within 128 bits: put first what belongs there.
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
    const auto ordered = [&](I16<16> x) { return _mm256_permutevar8x32_epi32(x.v, order); };
    const __m256i pa = ordered(a), qa = ordered(below_a), pb = ordered(b), qb = ordered(below_b);
    const __m256i a0 = _mm256_unpacklo_epi16(pa, qa), a1 = _mm256_unpackhi_epi16(pa, qa);
    const __m256i b0 = _mm256_unpacklo_epi16(pb, qb), b1 = _mm256_unpackhi_epi16(pb, qb);
    auto* out = reinterpret_cast<__m256i*>(dst);
    _mm256_storeu_si256(out, _mm256_unpacklo_epi32(a0, b0));
    _mm256_storeu_si256(out + 1, _mm256_unpackhi_epi32(a0, b0));
    _mm256_storeu_si256(out + 2, _mm256_unpacklo_epi32(a1, b1));
    _mm256_storeu_si256(out + 3, _mm256_unpackhi_epi32(a1, b1));
}
#else
inline void store_pairs(const I16<8>& a, const I16<8>& below_a, const I16<8>& b,
                        const I16<8>& below_b, std::int32_t* dst) {
    std::int16_t from[4][8], to[32];
    a.store(from[0]), below_a.store(from[1]), b.store(from[2]), below_b.store(from[3]);
    for (int i = 0; i < 8; ++i)
        for (int k = 0; k < 4; ++k) to[4 * i + k] = from[k][i];
    std::memcpy(dst, to, sizeof to);
}
#endif

#if defined(__AVX512BW__)
inline void store_pairs(I16<32> a, I16<32> below_a, I16<32> b, I16<32> below_b, std::int32_t* dst) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const auto ordered = [&](I16<32> x) { return _mm512_permutexvar_epi32(order, x.v); };
    const __m512i pa = ordered(a), qa = ordered(below_a), pb = ordered(b), qb = ordered(below_b);
    const __m512i a0 = _mm512_unpacklo_epi16(pa, qa), a1 = _mm512_unpackhi_epi16(pa, qa);
    const __m512i b0 = _mm512_unpacklo_epi16(pb, qb), b1 = _mm512_unpackhi_epi16(pb, qb);
    _mm512_storeu_si512(dst, _mm512_unpacklo_epi32(a0, b0));
    _mm512_storeu_si512(dst + 16, _mm512_unpackhi_epi32(a0, b0));
    _mm512_storeu_si512(dst + 32, _mm512_unpacklo_epi32(a1, b1));
    _mm512_storeu_si512(dst + 48, _mm512_unpackhi_epi32(a1, b1));
}
#endif

void halve_spacing(const std::int16_t* patch, std::ptrdiff_t stride, int width, int height,
                   const std::int16_t taps[4], std::int16_t* scratch, std::int32_t* grid,
                   std::ptrdiff_t grid_stride) {
    constexpr int before = trackcore::simd::taps_before, after = trackcore::simd::taps_after;
    for_columns(width, [&]<int N>(int x, I16<N>) {
        const I16<N> weights[4] = {I16<N>::all(taps[0]), I16<N>::all(taps[1]), I16<N>::all(taps[2]),
                                   I16<N>::all(taps[3])};
        const std::int16_t* even = patch + x;
        std::int16_t* odd = scratch + before * stride + x;
        for (int y = -before; y < height + after; ++y)
            half_way<N>(weights, [&](int k) {
                return I16<N>::load(even + y * stride + k);
            }).store(odd + y * stride);
        I16<N> a = I16<N>::load(even), b = I16<N>::load(odd);
        for (int y = 0; y < height - 1; ++y) {
            const auto at = [&](const std::int16_t* column) {
                return [=](int k) { return I16<N>::load(column + (y + k) * stride); };
            };
            const I16<N> a_half = half_way<N>(weights, at(even));
            const I16<N> b_half = half_way<N>(weights, at(odd));
            const I16<N> a_next = at(even)(1), b_next = at(odd)(1);
            std::int32_t* out = grid + 2 * y * grid_stride + 2 * x;
            store_pairs(a, a_half, b, b_half, out);
            store_pairs(a_half, a_next, b_half, b_next, out + grid_stride);
            a = a_next, b = b_next;
        }
    });
}

void keep_spacing(const std::int16_t* patch, std::ptrdiff_t stride, int width, int height,
                  std::int32_t* grid, std::ptrdiff_t grid_stride) {
    for (int y = 0; y < height - 1; ++y) {
        const std::int16_t *row = patch + y * stride, *below = row + stride;
        std::int32_t* out = grid + y * grid_stride;
        for (int x = 0; x < width; ++x)
            out[x] = static_cast<std::int32_t>(static_cast<std::uint16_t>(row[x]) |
                                               static_cast<std::uint32_t>(below[x]) << 16);
    }
}

// ---- sampling: values at positions (x, y) of a grid, bilinear, times weight_one ----
//
// Positions are never negative. Eight bytes hold the four samples around one; they are loaded one
// position at a time, which beats gather instructions, in the order in which 128-bit lanes want
// them. Then come the lower and upper samples, weighted as pairs of 16 bits, then left and right.

#if defined(__AVX2__) || defined(TRACKCORE_ANY_X86)
inline __m128i load_two(const std::int32_t* grid, int first, int second) {
    // loadl_epi64, not load_sd: that wants its double aligned
    const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(grid + first));
    return _mm_castpd_si128(
        _mm_loadh_pd(_mm_castsi128_pd(low), reinterpret_cast<const double*>(grid + second)));
}
#endif

#if defined(__AVX512BW__)

inline WideFloat bilinear(const SampleGrid& grid, WideFloat x, WideFloat y) {
    const __m512 x0 = _mm512_roundscale_ps(x.v, 1), y0 = _mm512_roundscale_ps(y.v, 1);
    const __m512 fx = _mm512_sub_ps(x.v, x0), fy = _mm512_sub_ps(y.v, y0);
    const __m512 stride = _mm512_set1_ps(static_cast<float>(grid.stride));
    alignas(64) std::int32_t at[16];
    _mm512_store_si512(at, _mm512_cvttps_epi32(_mm512_fmadd_ps(y0, stride, x0)));
    const __m512i lower = _mm512_cvtps_epi32(_mm512_mul_ps(fy, _mm512_set1_ps(weight_one)));
    const __m512i weights = _mm512_add_epi32(
        _mm512_slli_epi32(lower, 16), _mm512_sub_epi32(_mm512_set1_epi32(weight_one), lower));
    const std::int32_t* p = grid.data;
    const auto eight = [&](int i) {
        const auto two = [&](int k) { return load_two(p, at[k], at[k + 1]); };
        const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(two(i)), two(i + 4), 1);
        const __m256i high =
            _mm256_inserti128_si256(_mm256_castsi128_si256(two(i + 8)), two(i + 12), 1);
        return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    };
    const __m512 low =
        _mm512_castsi512_ps(_mm512_madd_epi16(eight(0), _mm512_unpacklo_epi32(weights, weights)));
    const __m512 high =
        _mm512_castsi512_ps(_mm512_madd_epi16(eight(2), _mm512_unpackhi_epi32(weights, weights)));
    const auto number = [](__m512 v) { return _mm512_cvtepi32_ps(_mm512_castps_si512(v)); };
    const __m512 left = number(_mm512_shuffle_ps(low, high, 0x88));
    const __m512 right = number(_mm512_shuffle_ps(low, high, 0xdd));
    return {_mm512_fmadd_ps(fx, _mm512_sub_ps(right, left), left)};
}

#elif defined(__AVX2__)

inline WideFloat bilinear(const SampleGrid& grid, WideFloat x, WideFloat y) {
    const __m256 x0 = _mm256_floor_ps(x.v), y0 = _mm256_floor_ps(y.v);
    const __m256 fx = _mm256_sub_ps(x.v, x0), fy = _mm256_sub_ps(y.v, y0);
    const __m256 stride = _mm256_set1_ps(static_cast<float>(grid.stride));
    alignas(32) std::int32_t at[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(at),
                       _mm256_cvttps_epi32(_mm256_fmadd_ps(y0, stride, x0)));
    const __m256i lower = _mm256_cvtps_epi32(_mm256_mul_ps(fy, _mm256_set1_ps(weight_one)));
    const __m256i weights = _mm256_add_epi32(
        _mm256_slli_epi32(lower, 16), _mm256_sub_epi32(_mm256_set1_epi32(weight_one), lower));
    const std::int32_t* p = grid.data;
    const auto four = [&](int i) {
        return _mm256_inserti128_si256(_mm256_castsi128_si256(load_two(p, at[i], at[i + 1])),
                                       load_two(p, at[i + 4], at[i + 5]), 1);
    };
    const __m256 low =
        _mm256_castsi256_ps(_mm256_madd_epi16(four(0), _mm256_unpacklo_epi32(weights, weights)));
    const __m256 high =
        _mm256_castsi256_ps(_mm256_madd_epi16(four(2), _mm256_unpackhi_epi32(weights, weights)));
    const auto number = [](__m256 v) { return _mm256_cvtepi32_ps(_mm256_castps_si256(v)); };
    const __m256 left = number(_mm256_shuffle_ps(low, high, 0x88));
    const __m256 right = number(_mm256_shuffle_ps(low, high, 0xdd));
    return {_mm256_fmadd_ps(fx, _mm256_sub_ps(right, left), left)};
}

#elif defined(TRACKCORE_ANY_X86)

inline WideFloat bilinear(const SampleGrid& grid, WideFloat x, WideFloat y) {
    const __m128 x0 = _mm_cvtepi32_ps(_mm_cvttps_epi32(x.v));
    const __m128 y0 = _mm_cvtepi32_ps(_mm_cvttps_epi32(y.v));
    const __m128 fx = _mm_sub_ps(x.v, x0), fy = _mm_sub_ps(y.v, y0);
    const __m128 stride = _mm_set1_ps(static_cast<float>(grid.stride));
    alignas(16) std::int32_t at[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(at),
                    _mm_cvttps_epi32(_mm_add_ps(_mm_mul_ps(y0, stride), x0)));
    const __m128i lower = _mm_cvtps_epi32(_mm_mul_ps(fy, _mm_set1_ps(weight_one)));
    const __m128i weights =
        _mm_add_epi32(_mm_slli_epi32(lower, 16), _mm_sub_epi32(_mm_set1_epi32(weight_one), lower));
    const std::int32_t* p = grid.data;
    const __m128 low = _mm_castsi128_ps(
        _mm_madd_epi16(load_two(p, at[0], at[1]), _mm_unpacklo_epi32(weights, weights)));
    const __m128 high = _mm_castsi128_ps(
        _mm_madd_epi16(load_two(p, at[2], at[3]), _mm_unpackhi_epi32(weights, weights)));
    const auto number = [](__m128 v) { return _mm_cvtepi32_ps(_mm_castps_si128(v)); };
    const __m128 left = number(_mm_shuffle_ps(low, high, 0x88));
    const __m128 right = number(_mm_shuffle_ps(low, high, 0xdd));
    return {_mm_add_ps(_mm_mul_ps(fx, _mm_sub_ps(right, left)), left)};
}

#else

inline WideFloat bilinear(const SampleGrid& grid, const WideFloat& x, const WideFloat& y) {
    float px[half_wide], py[half_wide], value[half_wide];
    store(x, px), store(y, py);
    for (int i = 0; i < half_wide; ++i) {
        const int x0 = static_cast<int>(px[i]), y0 = static_cast<int>(py[i]);
        const float fx = px[i] - static_cast<float>(x0), fy = py[i] - static_cast<float>(y0);
        std::int16_t s[4];
        std::memcpy(s, grid.data + y0 * grid.stride + x0, sizeof s);
        const int lower = static_cast<int>(fy * weight_one + 0.5f), upper = weight_one - lower;
        const float left = static_cast<float>(s[0] * upper + s[1] * lower);
        const float right = static_cast<float>(s[2] * upper + s[3] * lower);
        value[i] = left + fx * (right - left);
    }
    return load(value);
}

#endif

template <bool perspective>
inline void sample(const SampleGrid& grid, const float m[9], const float* u, const float* v, int n,
                   float base, float* values) {
    WideFloat c[9];
    for (int i = 0; i < 9; ++i) c[i] = all(m[i]);
    const WideFloat scale = all(1.0f / weight_one), offset = all(-base);
    for (int i = 0; i < n; i += half_wide) {
        const WideFloat pu = load(u + i), pv = load(v + i);
        const auto row = [&](int k) { return mul_add(c[k], pu, mul_add(c[k + 1], pv, c[k + 2])); };
        WideFloat x = row(0), y = row(3);
        if constexpr (perspective) {
            const WideFloat w = div(all(1.0f), row(6));
            x = mul(x, w), y = mul(y, w);
        }
        store(mul_add(bilinear(grid, x, y), scale, offset), values + i);
    }
    for (int i = n; i < trackcore::simd::padded_pixels(n); ++i) values[i] = 0.0f;
}

template <int columns>
void correlate(const float* values, const std::int16_t* t, const std::int16_t* gx,
               const std::int16_t* gy, const float* u, const float* v, int n, RegionSums* sums) {
    WideFloat j[columns], i_sum = all(0.0f), i_t = i_sum, i_i = i_sum;
    for (WideFloat& column : j) column = i_sum;
    for (int k = 0; k < n; k += half_wide) {
        const WideFloat value = load(values + k);
        i_sum = add(i_sum, value);
        i_t = mul_add(value, to_float(t + k), i_t);
        i_i = mul_add(value, value, i_i);
        const WideFloat x = mul(value, to_float(gx + k)), y = mul(value, to_float(gy + k));
        j[0] = add(j[0], x);
        j[1] = add(j[1], y);
        if constexpr (columns > 2) {
            const WideFloat pu = load(u + k), pv = load(v + k);
            j[2] = mul_add(pu, x, j[2]);
            j[3] = mul_add(pv, x, j[3]);
            j[4] = mul_add(pu, y, j[4]);
            j[5] = mul_add(pv, y, j[5]);
            if constexpr (columns > 6) {
                const WideFloat along = mul_add(pu, x, mul(pv, y));
                j[6] = mul_add(pu, along, j[6]);
                j[7] = mul_add(pv, along, j[7]);
            }
        }
    }
    for (int k = 0; k < columns; ++k) sums->j[k] = sum(j[k]);
    sums->i = sum(i_sum), sums->i_t = sum(i_t), sums->i_i = sum(i_i);
}

}  // namespace

namespace trackcore::simd {
const RegionKernels TRACKCORE_LEVEL_TABLE(region_kernels){
    make_list,    make_columns, halve_spacing, keep_spacing, sample<false>,
    sample<true>, correlate<2>, correlate<6>,  correlate<8>};
}  // namespace trackcore::simd
