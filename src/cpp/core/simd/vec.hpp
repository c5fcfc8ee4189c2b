// Integer vectors for the files in levels/, one meaning at every CPU level.
//
// I16<N> holds N signed 16-bit lanes, I32<N> N signed 32-bit lanes. All arithmetic is exact or
// rounds the same way everywhere, so integer kernels give the same bits at every level.
// Only levels/*.cpp may include this file: everything is in an unnamed namespace, because one
// inline function compiled at two levels must never be merged by the linker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#define TRACKCORE_X86 1
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#elif defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define TRACKCORE_X86 1
#endif

namespace {

template <int N>
struct I16;
template <int N>
struct I32;

// ---- any CPU: plain loops, which compilers turn into the instructions they have ----

#if !defined(TRACKCORE_X86) && !defined(__ARM_NEON)

template <>
struct I32<4> {
    std::int32_t v[4];
};

template <>
struct I16<8> {
    std::int16_t v[8];
    static I16 load(const std::int16_t* p) {
        I16 r;
        std::memcpy(r.v, p, sizeof r.v);
        return r;
    }
    static I16 load_u8(const std::uint8_t* p) {
        I16 r;
        for (int i = 0; i < 8; ++i) r.v[i] = p[i];
        return r;
    }
    static I16 all(int value) {
        I16 r;
        for (auto& lane : r.v) lane = static_cast<std::int16_t>(value);
        return r;
    }
    void store(std::int16_t* p) const { std::memcpy(p, v, sizeof v); }
};

template <class Op>
inline I16<8> lanes(const I16<8>& a, const I16<8>& b, Op op) {
    I16<8> r;
    for (int i = 0; i < 8; ++i) r.v[i] = static_cast<std::int16_t>(op(a.v[i], b.v[i]));
    return r;
}
inline I16<8> add(const I16<8>& a, const I16<8>& b) {
    return lanes(a, b, [](int x, int y) { return x + y; });
}
inline I16<8> sub(const I16<8>& a, const I16<8>& b) {
    return lanes(a, b, [](int x, int y) { return x - y; });
}
inline I16<8> bit_and(const I16<8>& a, const I16<8>& b) {
    return lanes(a, b, [](int x, int y) { return x & y; });
}
inline I16<8> mul_round15(const I16<8>& a, const I16<8>& b) {
    return lanes(a, b, [](int x, int y) { return (x * y + 0x4000) >> 15; });
}
template <int bits>
inline I16<8> shift_left(const I16<8>& a) {
    return lanes(a, a, [](int x, int) { return x * (1 << bits); });
}
template <int bits>
inline I16<8> shift_right(const I16<8>& a) {
    return lanes(a, a, [](int x, int) { return x >> bits; });
}
inline I32<4> dot_pairs(const I16<8>& a, const I16<8>& b) {
    I32<4> r;
#if defined(__SSE2__) || defined(_M_X64)
    // The one operation that compilers do not find by themselves.
    const auto vector = [](const I16<8>& x) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x.v));
    };
    _mm_storeu_si128(reinterpret_cast<__m128i*>(r.v), _mm_madd_epi16(vector(a), vector(b)));
#else
    for (int i = 0; i < 4; ++i) r.v[i] = a.v[2 * i] * b.v[2 * i] + a.v[2 * i + 1] * b.v[2 * i + 1];
#endif
    return r;
}
inline I32<4> zero_i32(const I16<8>&) { return {{0, 0, 0, 0}}; }
inline I32<4> add(const I32<4>& a, const I32<4>& b) {
    I32<4> r;
    for (int i = 0; i < 4; ++i) r.v[i] = a.v[i] + b.v[i];
    return r;
}
inline std::int64_t sum(const I32<4>& a) { return std::int64_t{a.v[0]} + a.v[1] + a.v[2] + a.v[3]; }

#endif

// ---- 64-bit Arm ----

#if defined(__ARM_NEON)

template <>
struct I32<4> {
    int32x4_t v;
};

template <>
struct I16<8> {
    int16x8_t v;
    static I16 load(const std::int16_t* p) { return {vld1q_s16(p)}; }
    static I16 load_u8(const std::uint8_t* p) {
        return {vreinterpretq_s16_u16(vmovl_u8(vld1_u8(p)))};
    }
    static I16 all(int value) { return {vdupq_n_s16(static_cast<std::int16_t>(value))}; }
    void store(std::int16_t* p) const { vst1q_s16(p, v); }
};

inline I16<8> add(I16<8> a, I16<8> b) { return {vaddq_s16(a.v, b.v)}; }
inline I16<8> sub(I16<8> a, I16<8> b) { return {vsubq_s16(a.v, b.v)}; }
inline I16<8> bit_and(I16<8> a, I16<8> b) { return {vandq_s16(a.v, b.v)}; }
inline I16<8> mul_round15(I16<8> a, I16<8> b) { return {vqrdmulhq_s16(a.v, b.v)}; }
template <int bits>
inline I16<8> shift_left(I16<8> a) {
    return {vshlq_n_s16(a.v, bits)};
}
template <int bits>
inline I16<8> shift_right(I16<8> a) {
    return {vshrq_n_s16(a.v, bits)};
}
inline I32<4> dot_pairs(I16<8> a, I16<8> b) {
    const int32x4_t low = vmull_s16(vget_low_s16(a.v), vget_low_s16(b.v));
    const int32x4_t high = vmull_high_s16(a.v, b.v);
    return {vpaddq_s32(low, high)};
}
inline I32<4> zero_i32(I16<8>) { return {vdupq_n_s32(0)}; }
inline I32<4> add(I32<4> a, I32<4> b) { return {vaddq_s32(a.v, b.v)}; }
inline std::int64_t sum(I32<4> a) { return vaddlvq_s32(a.v); }

#endif

// ---- any x86-64: 8 lanes ----

#if defined(TRACKCORE_X86)

template <>
struct I32<4> {
    __m128i v;
};

template <>
struct I16<8> {
    __m128i v;
    static I16 load(const std::int16_t* p) {
        return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))};
    }
    static I16 load_u8(const std::uint8_t* p) {
        return {_mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)),
                                  _mm_setzero_si128())};
    }
    static I16 all(int value) { return {_mm_set1_epi16(static_cast<std::int16_t>(value))}; }
    void store(std::int16_t* p) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }
};

inline I16<8> add(I16<8> a, I16<8> b) { return {_mm_add_epi16(a.v, b.v)}; }
inline I16<8> sub(I16<8> a, I16<8> b) { return {_mm_sub_epi16(a.v, b.v)}; }
inline I16<8> bit_and(I16<8> a, I16<8> b) { return {_mm_and_si128(a.v, b.v)}; }
inline I16<8> mul_round15(I16<8> a, I16<8> b) {
#if defined(__AVX2__)
    return {_mm_mulhrs_epi16(a.v, b.v)};
#else
    // (high 2^16 + low + 2^14) >> 15, where the low half alone decides the rounding
    const __m128i high = _mm_mulhi_epi16(a.v, b.v), low = _mm_mullo_epi16(a.v, b.v);
    const __m128i rounded =
        _mm_srli_epi16(_mm_add_epi16(_mm_srli_epi16(low, 14), _mm_set1_epi16(1)), 1);
    return {_mm_add_epi16(_mm_slli_epi16(high, 1), rounded)};
#endif
}
template <int bits>
inline I16<8> shift_left(I16<8> a) {
    return {_mm_slli_epi16(a.v, bits)};
}
template <int bits>
inline I16<8> shift_right(I16<8> a) {
    return {_mm_srai_epi16(a.v, bits)};
}
inline I32<4> dot_pairs(I16<8> a, I16<8> b) { return {_mm_madd_epi16(a.v, b.v)}; }
inline I32<4> zero_i32(I16<8>) { return {_mm_setzero_si128()}; }
inline I32<4> add(I32<4> a, I32<4> b) { return {_mm_add_epi32(a.v, b.v)}; }
inline std::int64_t sum(I32<4> a) {
    const __m128i sign = _mm_srai_epi32(a.v, 31);
    const __m128i halves =
        _mm_add_epi64(_mm_unpacklo_epi32(a.v, sign), _mm_unpackhi_epi32(a.v, sign));
    return _mm_cvtsi128_si64(halves) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves));
}

#endif

// ---- x86-64-v3: 16 lanes as well ----

#if defined(__AVX2__)

template <>
struct I32<8> {
    __m256i v;
};

template <>
struct I16<16> {
    __m256i v;
    static I16 load(const std::int16_t* p) {
        return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
    }
    static I16 load_u8(const std::uint8_t* p) {
        return {_mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
    }
    static I16 all(int value) { return {_mm256_set1_epi16(static_cast<std::int16_t>(value))}; }
    void store(std::int16_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
};

inline I16<16> add(I16<16> a, I16<16> b) { return {_mm256_add_epi16(a.v, b.v)}; }
inline I16<16> sub(I16<16> a, I16<16> b) { return {_mm256_sub_epi16(a.v, b.v)}; }
inline I16<16> bit_and(I16<16> a, I16<16> b) { return {_mm256_and_si256(a.v, b.v)}; }
inline I16<16> mul_round15(I16<16> a, I16<16> b) { return {_mm256_mulhrs_epi16(a.v, b.v)}; }
template <int bits>
inline I16<16> shift_left(I16<16> a) {
    return {_mm256_slli_epi16(a.v, bits)};
}
template <int bits>
inline I16<16> shift_right(I16<16> a) {
    return {_mm256_srai_epi16(a.v, bits)};
}
inline I32<8> dot_pairs(I16<16> a, I16<16> b) { return {_mm256_madd_epi16(a.v, b.v)}; }
inline I32<8> zero_i32(I16<16>) { return {_mm256_setzero_si256()}; }
inline I32<8> add(I32<8> a, I32<8> b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline std::int64_t sum(I32<8> a) {
    const __m256i wide = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(a.v)),
                                          _mm256_cvtepi32_epi64(_mm256_extracti128_si256(a.v, 1)));
    const __m128i half =
        _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
}

#endif

// ---- x86-64-v4: 32 lanes as well ----

#if defined(__AVX512BW__)

template <>
struct I32<16> {
    __m512i v;
};

template <>
struct I16<32> {
    __m512i v;
    static I16 load(const std::int16_t* p) { return {_mm512_loadu_si512(p)}; }
    static I16 load_u8(const std::uint8_t* p) {
        return {_mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
    }
    static I16 all(int value) { return {_mm512_set1_epi16(static_cast<std::int16_t>(value))}; }
    void store(std::int16_t* p) const { _mm512_storeu_si512(p, v); }
};

inline I16<32> add(I16<32> a, I16<32> b) { return {_mm512_add_epi16(a.v, b.v)}; }
inline I16<32> sub(I16<32> a, I16<32> b) { return {_mm512_sub_epi16(a.v, b.v)}; }
inline I16<32> bit_and(I16<32> a, I16<32> b) { return {_mm512_and_si512(a.v, b.v)}; }
inline I16<32> mul_round15(I16<32> a, I16<32> b) { return {_mm512_mulhrs_epi16(a.v, b.v)}; }
template <int bits>
inline I16<32> shift_left(I16<32> a) {
    return {_mm512_slli_epi16(a.v, bits)};
}
template <int bits>
inline I16<32> shift_right(I16<32> a) {
    return {_mm512_srai_epi16(a.v, bits)};
}
inline I32<16> dot_pairs(I16<32> a, I16<32> b) { return {_mm512_madd_epi16(a.v, b.v)}; }
inline I32<16> zero_i32(I16<32>) { return {_mm512_setzero_si512()}; }
inline I32<16> add(I32<16> a, I32<16> b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline std::int64_t sum(I32<16> a) {
    return _mm512_reduce_add_epi64(
        _mm512_add_epi64(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(a.v)),
                         _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(a.v, 1))));
}

#endif

/// Calls body(first_column, I16<N>{}) for pieces that together cover at least `width` columns:
/// the widest vectors that fit, then the narrowest that covers the rest. No scalar tail.
template <class Body>
inline void for_columns(int width, Body body) {
    int x = 0;
#if defined(__AVX512BW__)
    for (; width - x > 16; x += 32) body(x, I16<32>{});
#endif
#if defined(__AVX2__)
    for (; width - x > 8; x += 16) body(x, I16<16>{});
#endif
    for (; width - x > 0; x += 8) body(x, I16<8>{});
}

}  // namespace
