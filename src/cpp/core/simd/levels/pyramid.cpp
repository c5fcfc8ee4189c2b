#include "core/simd/pyramid.hpp"

#include <type_traits>

#include "core/simd/vec.hpp"

namespace {

/// Mirrors an index about the first and last sample: -1 -> 1, n -> n - 2.
inline int mirror(int i, int n) {
    if (n == 1) return 0;
    while (i < 0 || i >= n) i = i < 0 ? -i : 2 * (n - 1) - i;
    return i;
}

template <class Pixel, class Sum>
inline void across_one(const Pixel* src, int width, Sum* dst, int x) {
    const auto at = [&](int i) { return static_cast<Sum>(src[mirror(i, width)]); };
    const Sum outer = static_cast<Sum>(at(2 * x - 2) + at(2 * x + 2));
    const Sum inner = static_cast<Sum>(at(2 * x - 1) + at(2 * x + 1));
    dst[x] = static_cast<Sum>(outer + 4 * inner + 6 * at(2 * x));
}

template <class Pixel, class Sum>
void across(const Pixel* src, int width, Sum* dst) {
    const int n = (width + 1) / 2;
    const int inside_end = width >= 5 ? (width - 3) / 2 + 1 : 0;  // last x with 2x + 2 < width, + 1
    int x = 0;
    for (; x < n && x < 1; ++x) across_one(src, width, dst, x);
    for (; x < inside_end; ++x) {
        const Pixel* p = src + 2 * x;
        dst[x] = static_cast<Sum>(Sum(p[-2]) + Sum(p[2]) + Sum(4) * (Sum(p[-1]) + Sum(p[1])) +
                                  Sum(6) * Sum(p[0]));
    }
    for (; x < n; ++x) across_one(src, width, dst, x);
}

void across_u8(const std::uint8_t* src, int width, std::uint16_t* dst) {
#if defined(__AVX2__)
    const int n = (width + 1) / 2;
    int x = 0;
    for (; x < n && x < 1; ++x) across_one(src, width, dst, x);
    // One multiply-add of neighbouring bytes makes every second output: no de-interleaving.
#if defined(__AVX512BW__)
    {
        const __m512i w01 = _mm512_set1_epi16(0x0401), w23 = _mm512_set1_epi16(0x0406),
                      w4 = _mm512_set1_epi16(0x0001);
        for (; 2 * x + 2 + 64 <= width; x += 32) {
            const std::uint8_t* p = src + 2 * x;
            const __m512i a = _mm512_maddubs_epi16(_mm512_loadu_si512(p - 2), w01);
            const __m512i b = _mm512_maddubs_epi16(_mm512_loadu_si512(p), w23);
            const __m512i c = _mm512_maddubs_epi16(_mm512_loadu_si512(p + 2), w4);
            _mm512_storeu_si512(dst + x, _mm512_add_epi16(_mm512_add_epi16(a, b), c));
        }
    }
#endif
    const __m256i w01 = _mm256_set1_epi16(0x0401), w23 = _mm256_set1_epi16(0x0406),
                  w4 = _mm256_set1_epi16(0x0001);
    for (; 2 * x + 2 + 32 <= width; x += 16) {
        const auto* p = src + 2 * x;
        const auto load = [](const std::uint8_t* q) {
            return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q));
        };
        const __m256i a = _mm256_maddubs_epi16(load(p - 2), w01);
        const __m256i b = _mm256_maddubs_epi16(load(p), w23);
        const __m256i c = _mm256_maddubs_epi16(load(p + 2), w4);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + x),
                            _mm256_add_epi16(_mm256_add_epi16(a, b), c));
    }
    for (; x < n; ++x) across_one(src, width, dst, x);
#else
    across(src, width, dst);
#endif
}

template <class Pixel, class Sum, class Finish>
inline void down_plain(const Sum* const rows[5], int x, int width, Pixel* dst, Finish finish) {
    const Sum *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3], *r4 = rows[4];
    for (; x < width; ++x)
        dst[x] =
            finish(static_cast<Sum>(r0[x] + r4[x] + Sum(4) * (r1[x] + r3[x]) + Sum(6) * r2[x]));
}

void down_u8(const std::uint16_t* const rows[5], int width, std::uint8_t* dst) {
    int x = 0;
    // At most 16 * 16 * 255 + 128 = 65408: unsigned 16-bit sums cannot overflow.
#if defined(__AVX512BW__)
    for (; x + 32 <= width; x += 32) {
        const auto at = [&](int i) { return _mm512_loadu_si512(rows[i] + x); };
        const __m512i r2 = at(2);
        __m512i s = _mm512_add_epi16(at(0), at(4));
        s = _mm512_add_epi16(s, _mm512_slli_epi16(_mm512_add_epi16(at(1), at(3)), 2));
        s = _mm512_add_epi16(s,
                             _mm512_add_epi16(_mm512_slli_epi16(r2, 2), _mm512_slli_epi16(r2, 1)));
        s = _mm512_srli_epi16(_mm512_add_epi16(s, _mm512_set1_epi16(128)), 8);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + x), _mm512_cvtepi16_epi8(s));
    }
#endif
#if defined(__AVX2__)
    for (; x + 16 <= width; x += 16) {
        const auto at = [&](int i) {
            return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[i] + x));
        };
        const __m256i r2 = at(2);
        __m256i s = _mm256_add_epi16(at(0), at(4));
        s = _mm256_add_epi16(s, _mm256_slli_epi16(_mm256_add_epi16(at(1), at(3)), 2));
        s = _mm256_add_epi16(s,
                             _mm256_add_epi16(_mm256_slli_epi16(r2, 2), _mm256_slli_epi16(r2, 1)));
        s = _mm256_srli_epi16(_mm256_add_epi16(s, _mm256_set1_epi16(128)), 8);
        const __m128i bytes =
            _mm_packus_epi16(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + x), bytes);
    }
#endif
    down_plain(rows, x, width, dst,
               [](std::uint16_t s) { return static_cast<std::uint8_t>((s + 128u) >> 8); });
}

void across_u16(const std::uint16_t* src, int width, std::uint32_t* dst) {
    across(src, width, dst);
}

void down_u16(const std::uint32_t* const rows[5], int width, std::uint16_t* dst) {
    down_plain(rows, 0, width, dst,
               [](std::uint32_t s) { return static_cast<std::uint16_t>((s + 128u) >> 8); });
}

void across_f32(const float* src, int width, float* dst) { across(src, width, dst); }

void down_f32(const float* const rows[5], int width, float* dst) {
    down_plain(rows, 0, width, dst, [](float s) { return s * (1.0f / 256.0f); });
}

using trackcore::simd::luma_blue;
using trackcore::simd::luma_green;
using trackcore::simd::luma_red;

template <class Pixel>
inline Pixel luma_one(Pixel red, Pixel green, Pixel blue) {
    if constexpr (std::is_same_v<Pixel, float>)
        return 0.299f * red + 0.587f * green + 0.114f * blue;
    else
        return static_cast<Pixel>((std::uint32_t{red} * std::uint32_t{luma_red} +
                                   std::uint32_t{green} * std::uint32_t{luma_green} +
                                   std::uint32_t{blue} * std::uint32_t{luma_blue} + (1u << 14)) >>
                                  15);
}

/// Pixels [x, width) of a row. Constant strides, so that compilers vectorise it.
template <int channels, class Pixel>
inline void luma_rest(const Pixel* src, bool bgr, int x, int width, Pixel* dst) {
    if (bgr)
        for (; x < width; ++x) {
            const Pixel* p = src + channels * x;
            dst[x] = luma_one(p[2], p[1], p[0]);
        }
    else
        for (; x < width; ++x) {
            const Pixel* p = src + channels * x;
            dst[x] = luma_one(p[0], p[1], p[2]);
        }
}

template <class Pixel>
void luma(const Pixel* src, int channels, bool bgr, int width, Pixel* dst) {
    if (channels == 3)
        luma_rest<3>(src, bgr, 0, width, dst);
    else
        luma_rest<4>(src, bgr, 0, width, dst);
}

#if defined(TRACKCORE_X86)

/// Multiply-add of neighbouring channels, as 16-bit numbers, by these weights; the fourth has none.
struct LumaWeights {
    int first_two, last;  // two 16-bit weights each, the low one first
    explicit LumaWeights(bool bgr)
        : first_two((bgr ? luma_blue : luma_red) | luma_green << 16),
          last(bgr ? luma_red : luma_blue) {}
};

#if defined(__AVX2__)

/// Byte indices that spread the first two channels (or the third) of four pixels to 16 bits each.
inline __m128i luma_spread(int channels, int first, bool two) {
    alignas(16) std::int8_t index[16];
    for (int i = 0; i < 16; ++i) index[i] = -1;  // a zero
    for (int pixel = 0; pixel < 4; ++pixel) {
        index[4 * pixel] = static_cast<std::int8_t>(channels * pixel + first);
        if (two) index[4 * pixel + 2] = static_cast<std::int8_t>(channels * pixel + first + 1);
    }
    return _mm_load_si128(reinterpret_cast<const __m128i*>(index));
}

#endif

/// Four pixels a 128-bit lane; returns the first pixel that is left to do.
inline int luma_vectors(const std::uint8_t* src, int channels, bool bgr, int width,
                        std::uint8_t* dst) {
    const LumaWeights w(bgr);
    const int readable = channels * width;
    int x = 0;
#if defined(__AVX2__)
    const __m128i two = luma_spread(channels, 0, true), one = luma_spread(channels, 2, false);
    const int c = channels;
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, c, c + 1, c + 2, c + 3);
    const __m256i spread_two = _mm256_broadcastsi128_si256(two),
                  spread_one = _mm256_broadcastsi128_si256(one),
                  weights_two = _mm256_set1_epi32(w.first_two),
                  weight_one = _mm256_set1_epi32(w.last), half = _mm256_set1_epi32(1 << 14),
                  in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const auto eight = [&](int i) {
        const auto* from = reinterpret_cast<const __m256i*>(src + channels * i);
        const __m256i p = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(from), lanes);
        const __m256i a = _mm256_madd_epi16(_mm256_shuffle_epi8(p, spread_two), weights_two);
        const __m256i b = _mm256_madd_epi16(_mm256_shuffle_epi8(p, spread_one), weight_one);
        return _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(a, b), half), 15);
    };
    for (; channels * (x + 24) + 32 <= readable; x += 32) {
        const __m256i low = _mm256_packus_epi32(eight(x), eight(x + 8));
        const __m256i high = _mm256_packus_epi32(eight(x + 16), eight(x + 24));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + x),
                            _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), in_order));
    }
    for (; channels * x + 32 <= readable; x += 8) {
        const __m256i sum = eight(x), words = _mm256_packus_epi32(sum, sum);
        const __m256i bytes =
            _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words, words), in_order);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(dst + x), _mm256_castsi256_si128(bytes));
    }
#else
    const __m128i weights = _mm_setr_epi32(w.first_two, w.last, w.first_two, w.last),
                  half = _mm_set1_epi32(1 << 14), zero = _mm_setzero_si128();
    for (; channels * (x + 3) + 4 <= readable; x += 4) {
        const auto pixel = [&](int i) {  // and what follows it, where it has three channels
            std::int32_t bytes = 0;
            std::memcpy(&bytes, src + channels * (x + i), sizeof bytes);
            return bytes;
        };
        const __m128i p = _mm_setr_epi32(pixel(0), pixel(1), pixel(2), pixel(3));
        const __m128 a = _mm_castsi128_ps(_mm_madd_epi16(_mm_unpacklo_epi8(p, zero), weights)),
                     b = _mm_castsi128_ps(_mm_madd_epi16(_mm_unpackhi_epi8(p, zero), weights));
        const __m128i sum = _mm_add_epi32(
            _mm_add_epi32(_mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0))),
                          _mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)))),
            half);
        const __m128i words = _mm_packs_epi32(_mm_srli_epi32(sum, 15), zero);
        const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, zero));
        std::memcpy(dst + x, &bytes, sizeof bytes);
    }
#endif
    return x;
}

#endif

void luma_u8(const std::uint8_t* src, int channels, bool bgr, int width, std::uint8_t* dst) {
    int x = 0;
#if defined(TRACKCORE_X86)
    x = luma_vectors(src, channels, bgr, width, dst);
#endif
    if (channels == 3)
        luma_rest<3>(src, bgr, x, width, dst);
    else
        luma_rest<4>(src, bgr, x, width, dst);
}

}  // namespace

namespace trackcore::simd {
const PyramidKernels TRACKCORE_LEVEL_TABLE(pyramid_kernels){
    {across_u8, down_u8},   {across_u16, down_u16},
    {across_f32, down_f32}, luma_u8,
    luma<std::uint16_t>,    luma<float>};
}  // namespace trackcore::simd
