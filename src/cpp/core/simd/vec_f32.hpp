// Float vectors for the files in levels/: F32<N> holds N lanes. As vec.hpp, only levels/*.cpp may
// include this file. Sums of products may be fused: results agree across levels to rounding.
#pragma once

#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace {

template <int N>
struct F32;

// ---- any CPU: plain loops ----

#if !defined(__AVX2__) && !defined(__ARM_NEON)

template <>
struct F32<4> {
    float v[4];
    static F32 load(const float* p) { return {{p[0], p[1], p[2], p[3]}}; }
    static F32 load_i16(const std::int16_t* p) {
        return {{float(p[0]), float(p[1]), float(p[2]), float(p[3])}};
    }
    static F32 all(float value) { return {{value, value, value, value}}; }
    void store(float* p) const {
        for (int i = 0; i < 4; ++i) p[i] = v[i];
    }
};

template <class Op>
inline F32<4> lanes(const F32<4>& a, const F32<4>& b, Op op) {
    return {{op(a.v[0], b.v[0]), op(a.v[1], b.v[1]), op(a.v[2], b.v[2]), op(a.v[3], b.v[3])}};
}
inline F32<4> add(const F32<4>& a, const F32<4>& b) {
    return lanes(a, b, [](float x, float y) { return x + y; });
}
inline F32<4> sub(const F32<4>& a, const F32<4>& b) {
    return lanes(a, b, [](float x, float y) { return x - y; });
}
inline F32<4> mul(const F32<4>& a, const F32<4>& b) {
    return lanes(a, b, [](float x, float y) { return x * y; });
}
inline F32<4> div(const F32<4>& a, const F32<4>& b) {
    return lanes(a, b, [](float x, float y) { return x / y; });
}
inline F32<4> max(const F32<4>& a, const F32<4>& b) {
    return lanes(a, b, [](float x, float y) { return x > y ? x : y; });
}
inline F32<4> mul_add(const F32<4>& a, const F32<4>& b, const F32<4>& c) { return add(mul(a, b), c); }
inline float sum(const F32<4>& a) { return (a.v[0] + a.v[1]) + (a.v[2] + a.v[3]); }

#endif

// ---- 64-bit Arm ----

#if defined(__ARM_NEON) && !defined(__AVX2__)

template <>
struct F32<4> {
    float32x4_t v;
    static F32 load(const float* p) { return {vld1q_f32(p)}; }
    static F32 load_i16(const std::int16_t* p) {
        return {vcvtq_f32_s32(vmovl_s16(vld1_s16(p)))};
    }
    static F32 all(float value) { return {vdupq_n_f32(value)}; }
    void store(float* p) const { vst1q_f32(p, v); }
};
inline F32<4> add(F32<4> a, F32<4> b) { return {vaddq_f32(a.v, b.v)}; }
inline F32<4> sub(F32<4> a, F32<4> b) { return {vsubq_f32(a.v, b.v)}; }
inline F32<4> mul(F32<4> a, F32<4> b) { return {vmulq_f32(a.v, b.v)}; }
inline F32<4> div(F32<4> a, F32<4> b) { return {vdivq_f32(a.v, b.v)}; }
inline F32<4> max(F32<4> a, F32<4> b) { return {vmaxq_f32(a.v, b.v)}; }
inline F32<4> mul_add(F32<4> a, F32<4> b, F32<4> c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline float sum(F32<4> a) { return vaddvq_f32(a.v); }

#endif

// ---- x86-64-v3 ----

#if defined(__AVX2__)

template <>
struct F32<8> {
    __m256 v;
    static F32 load(const float* p) { return {_mm256_loadu_ps(p)}; }
    static F32 load_i16(const std::int16_t* p) {
        return {_mm256_cvtepi32_ps(
            _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
    }
    static F32 all(float value) { return {_mm256_set1_ps(value)}; }
    void store(float* p) const { _mm256_storeu_ps(p, v); }
};
inline F32<8> add(F32<8> a, F32<8> b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F32<8> sub(F32<8> a, F32<8> b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline F32<8> mul(F32<8> a, F32<8> b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline F32<8> div(F32<8> a, F32<8> b) { return {_mm256_div_ps(a.v, b.v)}; }
inline F32<8> max(F32<8> a, F32<8> b) { return {_mm256_max_ps(a.v, b.v)}; }
inline F32<8> mul_add(F32<8> a, F32<8> b, F32<8> c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline float sum(F32<8> a) {
    const __m128 half = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}

#endif

// ---- x86-64-v4 ----

#if defined(__AVX512BW__)

template <>
struct F32<16> {
    __m512 v;
    static F32 load(const float* p) { return {_mm512_loadu_ps(p)}; }
    static F32 load_i16(const std::int16_t* p) {
        return {_mm512_cvtepi32_ps(
            _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))))};
    }
    static F32 all(float value) { return {_mm512_set1_ps(value)}; }
    void store(float* p) const { _mm512_storeu_ps(p, v); }
};
inline F32<16> add(F32<16> a, F32<16> b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F32<16> sub(F32<16> a, F32<16> b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F32<16> mul(F32<16> a, F32<16> b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline F32<16> div(F32<16> a, F32<16> b) { return {_mm512_div_ps(a.v, b.v)}; }
inline F32<16> max(F32<16> a, F32<16> b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F32<16> mul_add(F32<16> a, F32<16> b, F32<16> c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline float sum(F32<16> a) {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
    return sum(F32<8>{half});
}

#endif

/// Lanes of the widest vector of this level.
#if defined(__AVX512BW__)
constexpr int widest_f32 = 16;
#elif defined(__AVX2__)
constexpr int widest_f32 = 8;
#else
constexpr int widest_f32 = 4;
#endif

}  // namespace
