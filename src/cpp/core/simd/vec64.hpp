// Doubles for the files in levels/: two registers of the CPU level, each lane a problem of its own.
// Two, because long chains of divisions and roots leave the CPU idle between the steps of one.
//
// Every operation is one IEEE operation per lane and lanes never meet, so a lane's result has the
// same bits at every level, whatever is in the others. The rules of vec.hpp hold here as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#elif !defined(__GNUC__)
#include <math.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int register_lanes = 8;
#elif defined(__AVX__)
constexpr int register_lanes = 4;
#else
constexpr int register_lanes = 2;
#endif
constexpr int lanes = 2 * register_lanes;

#if defined(__GNUC__)  // gcc and clang: their own vectors, which know + - * / < and ?:

#pragma GCC diagnostic ignored "-Wpsabi"  // nothing here is called from outside
using Half = double __attribute__((vector_size(register_lanes * sizeof(double))));
struct F64 {
    Half lo, hi;
};
#define TRACKCORE_EACH(op) \
    inline F64 operator op(const F64& a, const F64& b) { return {a.lo op b.lo, a.hi op b.hi}; }
TRACKCORE_EACH(+)
TRACKCORE_EACH(-)
TRACKCORE_EACH(*)
TRACKCORE_EACH(/)
#undef TRACKCORE_EACH

#if defined(__AVX512F__)  // one bit a lane: as vectors, gcc moves masks to and fro
struct Bits64 {
    __mmask8 lo, hi;
};
#define TRACKCORE_EACH(op, how)                                                            \
    inline Bits64 operator op(const F64& a, const F64& b) {                                \
        return {_mm512_cmp_pd_mask(a.lo, b.lo, how), _mm512_cmp_pd_mask(a.hi, b.hi, how)}; \
    }
TRACKCORE_EACH(<, _CMP_LT_OQ)
TRACKCORE_EACH(>, _CMP_GT_OQ)
TRACKCORE_EACH(<=, _CMP_LE_OQ)
TRACKCORE_EACH(>=, _CMP_GE_OQ)
TRACKCORE_EACH(==, _CMP_EQ_OQ)
#undef TRACKCORE_EACH
#define TRACKCORE_EACH(op)                                                                 \
    inline Bits64 operator op(const Bits64& a, const Bits64& b) {                          \
        return {static_cast<__mmask8>(a.lo op b.lo), static_cast<__mmask8>(a.hi op b.hi)}; \
    }
TRACKCORE_EACH(&)
TRACKCORE_EACH(|)
#undef TRACKCORE_EACH
inline Bits64 operator~(const Bits64& a) {
    return {static_cast<__mmask8>(~a.lo), static_cast<__mmask8>(~a.hi)};
}
inline F64 pick(const Bits64& yes, const F64& a, const F64& b) {
    return {_mm512_mask_blend_pd(yes.lo, b.lo, a.lo), _mm512_mask_blend_pd(yes.hi, b.hi, a.hi)};
}
inline bool any(const Bits64& yes) { return (yes.lo | yes.hi) != 0; }
#else
using HalfBits = std::int64_t __attribute__((vector_size(register_lanes * sizeof(std::int64_t))));
struct Bits64 {
    HalfBits lo, hi;
};
#define TRACKCORE_EACH(A, op) \
    inline Bits64 operator op(const A& a, const A& b) { return {a.lo op b.lo, a.hi op b.hi}; }
TRACKCORE_EACH(F64, <)
TRACKCORE_EACH(F64, >)
TRACKCORE_EACH(F64, <=)
TRACKCORE_EACH(F64, >=)
TRACKCORE_EACH(F64, ==)
TRACKCORE_EACH(Bits64, &)
TRACKCORE_EACH(Bits64, |)
#undef TRACKCORE_EACH
inline Bits64 operator~(const Bits64& a) { return {~a.lo, ~a.hi}; }
inline F64 pick(const Bits64& yes, const F64& a, const F64& b) {
    return {yes.lo ? a.lo : b.lo, yes.hi ? a.hi : b.hi};
}
inline bool any(const Bits64& yes) {
    const HalfBits b = yes.lo | yes.hi;
#if defined(__AVX__)
    return _mm256_movemask_pd(reinterpret_cast<__m256d>(b)) != 0;
#elif defined(__SSE2__)
    return _mm_movemask_pd(reinterpret_cast<__m128d>(b)) != 0;
#else
    std::int64_t found = 0;
    for (int i = 0; i < register_lanes; ++i) found |= b[i];
    return found != 0;
#endif
}
#endif

inline F64 operator-(const F64& a) { return {-a.lo, -a.hi}; }
inline F64 all(double value) {
    const Half r = value - Half{};  // lane by lane gcc broadcasts once for each
    return {r, r};
}
inline double lane(const F64& a, int i) {
    return i < register_lanes ? a.lo[i] : a.hi[i - register_lanes];
}

inline Half root(const Half& a) {
#if defined(__AVX512F__)
    return _mm512_sqrt_pd(a);
#elif defined(__AVX__)
    return _mm256_sqrt_pd(a);
#elif defined(__SSE2__)
    return _mm_sqrt_pd(a);
#else
    Half r;
    for (int i = 0; i < register_lanes; ++i) r[i] = __builtin_sqrt(a[i]);
    return r;
#endif
}
inline F64 root(const F64& a) { return {root(a.lo), root(a.hi)}; }

#else

struct F64 {
    double v[lanes];
};
struct Bits64 {
    std::int64_t v[lanes];
};

// Loops over lanes of a constant number are what compilers turn into vectors.
template <class Op>
inline F64 each(const F64& a, const F64& b, Op op) {
    F64 r;
    for (int i = 0; i < lanes; ++i) r.v[i] = op(a.v[i], b.v[i]);
    return r;
}
template <class Op>
inline Bits64 compare(const F64& a, const F64& b, Op op) {
    Bits64 r;
    for (int i = 0; i < lanes; ++i) r.v[i] = op(a.v[i], b.v[i]) ? -1 : 0;
    return r;
}
template <class Op>
inline Bits64 combine(const Bits64& a, const Bits64& b, Op op) {
    Bits64 r;
    for (int i = 0; i < lanes; ++i) r.v[i] = op(a.v[i], b.v[i]);
    return r;
}
inline F64 operator+(const F64& a, const F64& b) {
    return each(a, b, [](double p, double q) { return p + q; });
}
inline F64 operator-(const F64& a, const F64& b) {
    return each(a, b, [](double p, double q) { return p - q; });
}
inline F64 operator*(const F64& a, const F64& b) {
    return each(a, b, [](double p, double q) { return p * q; });
}
inline F64 operator/(const F64& a, const F64& b) {
    return each(a, b, [](double p, double q) { return p / q; });
}
inline F64 operator-(const F64& a) {
    return each(a, a, [](double p, double) { return -p; });
}
inline Bits64 operator<(const F64& a, const F64& b) {
    return compare(a, b, [](double p, double q) { return p < q; });
}
inline Bits64 operator<=(const F64& a, const F64& b) {
    return compare(a, b, [](double p, double q) { return p <= q; });
}
inline Bits64 operator>(const F64& a, const F64& b) { return b < a; }
inline Bits64 operator>=(const F64& a, const F64& b) { return b <= a; }
inline Bits64 operator==(const F64& a, const F64& b) {
    return compare(a, b, [](double p, double q) { return p == q; });
}
inline Bits64 operator&(const Bits64& a, const Bits64& b) {
    return combine(a, b, [](std::int64_t p, std::int64_t q) { return p & q; });
}
inline Bits64 operator|(const Bits64& a, const Bits64& b) {
    return combine(a, b, [](std::int64_t p, std::int64_t q) { return p | q; });
}
inline Bits64 operator~(const Bits64& a) {
    return combine(a, a, [](std::int64_t p, std::int64_t) { return ~p; });
}
inline F64 all(double value) {
    F64 r;
    for (double& v : r.v) v = value;
    return r;
}
inline double lane(const F64& a, int i) { return a.v[i]; }
inline F64 pick(const Bits64& yes, const F64& a, const F64& b) {
    F64 r;
    for (int i = 0; i < lanes; ++i) r.v[i] = yes.v[i] ? a.v[i] : b.v[i];
    return r;
}
inline bool any(const Bits64& yes) {
    std::int64_t found = 0;
    for (const std::int64_t v : yes.v) found |= v;
    return found != 0;
}
inline F64 root(const F64& a) {
    F64 r;
#if defined(_M_X64)
    for (int i = 0; i < lanes; ++i)
        r.v[i] = _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(a.v[i])));
#else
    for (int i = 0; i < lanes; ++i) r.v[i] = sqrt(a.v[i]);
#endif
    return r;
}

#endif

inline F64 load(const double* p) {
    F64 r;
    std::memcpy(&r, p, sizeof r);
    return r;
}
inline void store(const F64& a, double* p) { std::memcpy(p, &a, sizeof a); }
inline F64 larger(const F64& a, const F64& b) { return pick(a > b, a, b); }
inline F64 absolute(const F64& a) { return pick(a < all(0.0), -a, a); }

}  // namespace
