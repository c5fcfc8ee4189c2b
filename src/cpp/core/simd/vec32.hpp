// 32-bit lanes for the files in levels/: the widest integer and float vectors of each CPU level.
//
// Wide16 holds `wide` signed 16-bit lanes; Wide32 and WideFloat have half as many. Float
// operations are single IEEE operations, so they too give the same bits at every level; but for
// `mul_add`, which rounds once where the level can, and `sum`, whose order depends on the width.
// The rules of vec.hpp hold here as well.
#pragma once

#include "core/simd/vec.hpp"

#if !defined(__AVX2__) && (defined(__SSE2__) || defined(_M_X64))
#include <immintrin.h>
#define TRACKCORE_ANY_X86 1
#endif

namespace {

#if defined(__AVX512BW__)
constexpr int wide = 32;
#elif defined(__AVX2__)
constexpr int wide = 16;
#else
constexpr int wide = 8;
#endif
constexpr int half_wide = wide / 2;

#if !defined(TRACKCORE_ANY_X86)
using Wide16 = I16<wide>;
using Wide32 = I32<half_wide>;
#endif

/// Without the standard library: see vec.hpp for why.
inline double square_root(double value) {
#if defined(__GNUC__)
    return __builtin_sqrt(value);
#else
    return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(value)));
#endif
}

// ---- x86-64-v4 ----

#if defined(__AVX512BW__)

struct WideFloat {
    __m512 v;
};

inline Wide16 all_pairs(std::int32_t pair) { return {_mm512_set1_epi32(pair)}; }
inline Wide32 load(const std::int32_t* p) { return {_mm512_loadu_si512(p)}; }
inline void store(Wide32 a, std::int32_t* p) { _mm512_storeu_si512(p, a.v); }
/// Reorders lanes so that the two `pairs` of spread vectors are in order.
inline Wide16 spread(Wide16 a) {
    return {_mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), a.v)};
}
inline Wide16 low_pairs(Wide16 a, Wide16 b) { return {_mm512_unpacklo_epi16(a.v, b.v)}; }
inline Wide16 high_pairs(Wide16 a, Wide16 b) { return {_mm512_unpackhi_epi16(a.v, b.v)}; }

inline WideFloat load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store(WideFloat a, float* p) { _mm512_storeu_ps(p, a.v); }
inline WideFloat all(float value) { return {_mm512_set1_ps(value)}; }
inline WideFloat to_float(Wide32 a) { return {_mm512_cvtepi32_ps(a.v)}; }
inline WideFloat to_float(const std::int16_t* p) {
    return {_mm512_cvtepi32_ps(
        _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))))};
}
inline WideFloat add(WideFloat a, WideFloat b) { return {_mm512_add_ps(a.v, b.v)}; }
inline WideFloat sub(WideFloat a, WideFloat b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline WideFloat mul(WideFloat a, WideFloat b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline WideFloat div(WideFloat a, WideFloat b) { return {_mm512_div_ps(a.v, b.v)}; }
inline WideFloat mul_add(WideFloat a, WideFloat b, WideFloat c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
inline WideFloat max(WideFloat a, WideFloat b) { return {_mm512_max_ps(a.v, b.v)}; }
inline float sum(WideFloat a) { return _mm512_reduce_add_ps(a.v); }
inline WideFloat square_root(WideFloat a) { return {_mm512_sqrt_ps(a.v)}; }
/// One bit per lane.
inline unsigned above(WideFloat a, WideFloat b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ); }

// ---- x86-64-v3 ----

#elif defined(__AVX2__)

struct WideFloat {
    __m256 v;
};

inline Wide16 all_pairs(std::int32_t pair) { return {_mm256_set1_epi32(pair)}; }
inline Wide32 load(const std::int32_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
inline void store(Wide32 a, std::int32_t* p) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v);
}
inline Wide16 spread(Wide16 a) { return {_mm256_permute4x64_epi64(a.v, 0xD8)}; }
inline Wide16 low_pairs(Wide16 a, Wide16 b) { return {_mm256_unpacklo_epi16(a.v, b.v)}; }
inline Wide16 high_pairs(Wide16 a, Wide16 b) { return {_mm256_unpackhi_epi16(a.v, b.v)}; }

inline WideFloat load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline void store(WideFloat a, float* p) { _mm256_storeu_ps(p, a.v); }
inline WideFloat all(float value) { return {_mm256_set1_ps(value)}; }
inline WideFloat to_float(Wide32 a) { return {_mm256_cvtepi32_ps(a.v)}; }
inline WideFloat to_float(const std::int16_t* p) {
    return {_mm256_cvtepi32_ps(
        _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}
inline WideFloat add(WideFloat a, WideFloat b) { return {_mm256_add_ps(a.v, b.v)}; }
inline WideFloat sub(WideFloat a, WideFloat b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline WideFloat mul(WideFloat a, WideFloat b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline WideFloat div(WideFloat a, WideFloat b) { return {_mm256_div_ps(a.v, b.v)}; }
inline WideFloat mul_add(WideFloat a, WideFloat b, WideFloat c) {
    return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
inline WideFloat max(WideFloat a, WideFloat b) { return {_mm256_max_ps(a.v, b.v)}; }
inline float sum(WideFloat a) {
    const __m128 half = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}
inline WideFloat square_root(WideFloat a) { return {_mm256_sqrt_ps(a.v)}; }
inline unsigned above(WideFloat a, WideFloat b) {
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)));
}

// ---- any x86-64: what vec.hpp leaves to the compiler ----

#elif defined(TRACKCORE_ANY_X86)

struct Wide16 {
    __m128i v;
    static Wide16 load(const std::int16_t* p) {
        return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))};
    }
    static Wide16 load_u8(const std::uint8_t* p) {
        return {_mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)),
                                  _mm_setzero_si128())};
    }
    static Wide16 all(int value) { return {_mm_set1_epi16(static_cast<std::int16_t>(value))}; }
    void store(std::int16_t* p) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }
};
struct Wide32 {
    __m128i v;
};
struct WideFloat {
    __m128 v;
};

inline Wide16 add(Wide16 a, Wide16 b) { return {_mm_add_epi16(a.v, b.v)}; }
inline Wide16 sub(Wide16 a, Wide16 b) { return {_mm_sub_epi16(a.v, b.v)}; }
inline Wide16 bit_and(Wide16 a, Wide16 b) { return {_mm_and_si128(a.v, b.v)}; }
inline Wide16 all_pairs(std::int32_t pair) { return {_mm_set1_epi32(pair)}; }
inline Wide16 spread(Wide16 a) { return a; }
inline Wide16 low_pairs(Wide16 a, Wide16 b) { return {_mm_unpacklo_epi16(a.v, b.v)}; }
inline Wide16 high_pairs(Wide16 a, Wide16 b) { return {_mm_unpackhi_epi16(a.v, b.v)}; }
inline Wide32 dot_pairs(Wide16 a, Wide16 b) { return {_mm_madd_epi16(a.v, b.v)}; }

inline Wide32 load(const std::int32_t* p) {
    return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))};
}
inline void store(Wide32 a, std::int32_t* p) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), a.v);
}
inline Wide32 add(Wide32 a, Wide32 b) { return {_mm_add_epi32(a.v, b.v)}; }

inline WideFloat load(const float* p) { return {_mm_loadu_ps(p)}; }
inline void store(WideFloat a, float* p) { _mm_storeu_ps(p, a.v); }
inline WideFloat all(float value) { return {_mm_set1_ps(value)}; }
inline WideFloat to_float(Wide32 a) { return {_mm_cvtepi32_ps(a.v)}; }
inline WideFloat to_float(const std::int16_t* p) {
    const __m128i four = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return {_mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(four, four), 16))};
}
inline WideFloat add(WideFloat a, WideFloat b) { return {_mm_add_ps(a.v, b.v)}; }
inline WideFloat sub(WideFloat a, WideFloat b) { return {_mm_sub_ps(a.v, b.v)}; }
inline WideFloat mul(WideFloat a, WideFloat b) { return {_mm_mul_ps(a.v, b.v)}; }
inline WideFloat div(WideFloat a, WideFloat b) { return {_mm_div_ps(a.v, b.v)}; }
inline WideFloat mul_add(WideFloat a, WideFloat b, WideFloat c) { return add(mul(a, b), c); }
inline WideFloat max(WideFloat a, WideFloat b) { return {_mm_max_ps(a.v, b.v)}; }
inline float sum(WideFloat a) {
    const __m128 pair = _mm_add_ps(a.v, _mm_movehl_ps(a.v, a.v));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps(pair, pair, 1)));
}
inline WideFloat square_root(WideFloat a) { return {_mm_sqrt_ps(a.v)}; }
inline unsigned above(WideFloat a, WideFloat b) {
    return static_cast<unsigned>(_mm_movemask_ps(_mm_cmpgt_ps(a.v, b.v)));
}

// ---- any other CPU ----

#else

struct WideFloat {
    float v[4];
};

template <class Op>
inline WideFloat float_lanes(const WideFloat& a, const WideFloat& b, Op op) {
    WideFloat r;
    for (int i = 0; i < 4; ++i) r.v[i] = op(a.v[i], b.v[i]);
    return r;
}

#if defined(__ARM_NEON)

inline Wide32 load(const std::int32_t* p) { return {vld1q_s32(p)}; }
inline void store(Wide32 a, std::int32_t* p) { vst1q_s32(p, a.v); }
inline Wide16 low_pairs(Wide16 a, Wide16 b) { return {vzip1q_s16(a.v, b.v)}; }
inline Wide16 high_pairs(Wide16 a, Wide16 b) { return {vzip2q_s16(a.v, b.v)}; }
inline WideFloat to_float(Wide32 a) {
    WideFloat r;
    vst1q_f32(r.v, vcvtq_f32_s32(a.v));
    return r;
}

#else

inline Wide32 load(const std::int32_t* p) {
    Wide32 r;
    std::memcpy(r.v, p, sizeof r.v);
    return r;
}
inline void store(const Wide32& a, std::int32_t* p) { std::memcpy(p, a.v, sizeof a.v); }
inline Wide16 low_pairs(const Wide16& a, const Wide16& b) {
    Wide16 r;
    for (int i = 0; i < 4; ++i) r.v[2 * i] = a.v[i], r.v[2 * i + 1] = b.v[i];
    return r;
}
inline Wide16 high_pairs(const Wide16& a, const Wide16& b) {
    Wide16 r;
    for (int i = 0; i < 4; ++i) r.v[2 * i] = a.v[4 + i], r.v[2 * i + 1] = b.v[4 + i];
    return r;
}
inline WideFloat to_float(const Wide32& a) {
    WideFloat r;
    for (int i = 0; i < 4; ++i) r.v[i] = static_cast<float>(a.v[i]);
    return r;
}

#endif

inline Wide16 spread(const Wide16& a) { return a; }
inline Wide16 all_pairs(std::int32_t pair) {
    std::int16_t lanes[8];
    for (int i = 0; i < 4; ++i) std::memcpy(lanes + 2 * i, &pair, sizeof pair);
    return Wide16::load(lanes);
}

inline WideFloat to_float(const std::int16_t* p) {
    return {{float(p[0]), float(p[1]), float(p[2]), float(p[3])}};
}
inline WideFloat load(const float* p) {
    WideFloat r;
    std::memcpy(r.v, p, sizeof r.v);
    return r;
}
inline void store(const WideFloat& a, float* p) { std::memcpy(p, a.v, sizeof a.v); }
inline WideFloat all(float value) { return {{value, value, value, value}}; }
inline WideFloat add(const WideFloat& a, const WideFloat& b) {
    return float_lanes(a, b, [](float x, float y) { return x + y; });
}
inline WideFloat sub(const WideFloat& a, const WideFloat& b) {
    return float_lanes(a, b, [](float x, float y) { return x - y; });
}
inline WideFloat mul(const WideFloat& a, const WideFloat& b) {
    return float_lanes(a, b, [](float x, float y) { return x * y; });
}
inline WideFloat div(const WideFloat& a, const WideFloat& b) {
    return float_lanes(a, b, [](float x, float y) { return x / y; });
}
inline WideFloat mul_add(const WideFloat& a, const WideFloat& b, const WideFloat& c) {
    return add(mul(a, b), c);
}
inline float sum(const WideFloat& a) { return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]); }
inline WideFloat max(const WideFloat& a, const WideFloat& b) {
    return float_lanes(a, b, [](float x, float y) { return x > y ? x : y; });
}
inline WideFloat square_root(const WideFloat& a) {
    return float_lanes(a, a, [](float x, float) { return static_cast<float>(square_root(x)); });
}
inline unsigned above(const WideFloat& a, const WideFloat& b) {
    unsigned bits = 0;
    for (int i = 0; i < 4; ++i) bits |= static_cast<unsigned>(a.v[i] > b.v[i]) << i;
    return bits;
}

#endif

}  // namespace
