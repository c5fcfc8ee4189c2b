#include "core/simd/pyramid.hpp"

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

}  // namespace

namespace trackcore::simd {
const PyramidKernels TRACKCORE_LEVEL_TABLE(pyramid_kernels){
    {across_u8, down_u8}, {across_u16, down_u16}, {across_f32, down_f32}};
}  // namespace trackcore::simd
