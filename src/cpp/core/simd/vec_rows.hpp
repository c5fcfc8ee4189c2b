// Rows of numbers, one row per lane, to lanes and back, for the files in levels/.
#pragma once

#include "core/simd/vec64.hpp"

namespace {

#if defined(__AVX512F__) && defined(__GNUC__)  // whose F64 is two registers

/// Eight rows of eight numbers each: in[k] holds number k of every row, out[l] row l.
inline void transpose8(const Half* in, __m512d* out) {
    __m512d a[8], b[8];
    for (int k = 0; k < 8; k += 2) {
        a[k] = _mm512_unpacklo_pd(in[k], in[k + 1]);
        a[k + 1] = _mm512_unpackhi_pd(in[k], in[k + 1]);
    }
    for (int k = 0; k < 8; k += 4)
        for (int i = 0; i < 2; ++i) {
            b[k + i] = _mm512_shuffle_f64x2(a[k + i], a[k + 2 + i], 0x88);
            b[k + 2 + i] = _mm512_shuffle_f64x2(a[k + i], a[k + 2 + i], 0xDD);
        }
    for (int i = 0; i < 2; ++i) {
        out[i] = _mm512_shuffle_f64x2(b[i], b[4 + i], 0x88);
        out[4 + i] = _mm512_shuffle_f64x2(b[i], b[4 + i], 0xDD);
        out[2 + i] = _mm512_shuffle_f64x2(b[2 + i], b[6 + i], 0x88);
        out[6 + i] = _mm512_shuffle_f64x2(b[2 + i], b[6 + i], 0xDD);
    }
}

/// Rows of four numbers that lie one after the other.
inline void load_rows4(const double* p, F64* out) {
    const __m512i firsts = _mm512_setr_epi64(0, 4, 8, 12, 1, 5, 9, 13);
    const __m512i lasts = _mm512_setr_epi64(2, 6, 10, 14, 3, 7, 11, 15);
    Half half[2][4];
    for (int h = 0; h < 2; ++h, p += 32) {
        const __m512d a = _mm512_loadu_pd(p), b = _mm512_loadu_pd(p + 8);
        const __m512d c = _mm512_loadu_pd(p + 16), d = _mm512_loadu_pd(p + 24);
        const __m512d ab = _mm512_permutex2var_pd(a, firsts, b);
        const __m512d cd = _mm512_permutex2var_pd(c, firsts, d);
        const __m512d AB = _mm512_permutex2var_pd(a, lasts, b);
        const __m512d CD = _mm512_permutex2var_pd(c, lasts, d);
        half[h][0] = _mm512_shuffle_f64x2(ab, cd, 0x44);
        half[h][1] = _mm512_shuffle_f64x2(ab, cd, 0xEE);
        half[h][2] = _mm512_shuffle_f64x2(AB, CD, 0x44);
        half[h][3] = _mm512_shuffle_f64x2(AB, CD, 0xEE);
    }
    for (int k = 0; k < 4; ++k) out[k] = {half[0][k], half[1][k]};
}

/// Rows of `n` numbers, one after the other from `p` on.
template <int n>
inline void store_rows(const Half* in, double* p);
template <>
inline void store_rows<1>(const Half* in, double* p) {
    _mm512_storeu_pd(p, in[0]);
}
template <>
inline void store_rows<2>(const Half* in, double* p) {
    const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const __m512i high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    _mm512_storeu_pd(p, _mm512_permutex2var_pd(in[0], low, in[1]));
    _mm512_storeu_pd(p + 8, _mm512_permutex2var_pd(in[0], high, in[1]));
}
template <>
inline void store_rows<3>(const Half* in, double* p) {
    const __m512i xy[3] = {_mm512_setr_epi64(0, 8, 0, 1, 9, 0, 2, 10),
                           _mm512_setr_epi64(0, 3, 11, 0, 4, 12, 0, 5),
                           _mm512_setr_epi64(13, 0, 6, 14, 0, 7, 15, 0)};
    const __m512i z[3] = {_mm512_setr_epi64(0, 1, 8, 3, 4, 9, 6, 7),
                          _mm512_setr_epi64(10, 1, 2, 11, 4, 5, 12, 7),
                          _mm512_setr_epi64(0, 13, 2, 3, 14, 5, 6, 15)};
    for (int i = 0; i < 3; ++i) {
        const __m512d both = _mm512_permutex2var_pd(in[0], xy[i], in[1]);
        _mm512_storeu_pd(p + 8 * i, _mm512_permutex2var_pd(both, z[i], in[2]));
    }
}
template <>
inline void store_rows<9>(const Half* in, double* p) {
    __m512d rows[8];
    transpose8(in, rows);
    alignas(64) double last[8];
    _mm512_store_pd(last, in[8]);
    for (int l = 0; l < 8; ++l) {
        _mm512_storeu_pd(p + 9 * l, rows[l]);
        p[9 * l + 8] = last[l];
    }
}

/// The first `n` of both registers.
template <int n>
inline void store_rows(const F64* in, double* p) {
    Half low[n], high[n];
    for (int k = 0; k < n; ++k) {
        low[k] = in[k].lo;
        high[k] = in[k].hi;
    }
    store_rows<n>(low, p);
    store_rows<n>(high, p + register_lanes * n);
}

#elif defined(__AVX2__) && defined(__GNUC__)

inline void transpose4(const __m256d* in, __m256d* out) {
    const __m256d a = _mm256_unpacklo_pd(in[0], in[1]), b = _mm256_unpackhi_pd(in[0], in[1]);
    const __m256d c = _mm256_unpacklo_pd(in[2], in[3]), d = _mm256_unpackhi_pd(in[2], in[3]);
    out[0] = _mm256_permute2f128_pd(a, c, 0x20);
    out[1] = _mm256_permute2f128_pd(b, d, 0x20);
    out[2] = _mm256_permute2f128_pd(a, c, 0x31);
    out[3] = _mm256_permute2f128_pd(b, d, 0x31);
}

inline void load_rows4(const double* p, F64* out) {
    __m256d half[2][4];
    for (int h = 0; h < 2; ++h, p += 16) {
        __m256d rows[4];
        for (int l = 0; l < 4; ++l) rows[l] = _mm256_loadu_pd(p + 4 * l);
        transpose4(rows, half[h]);
    }
    for (int k = 0; k < 4; ++k) out[k] = {half[0][k], half[1][k]};
}

/// Rows of `n` numbers, one after the other from `p` on: in fours, then what is left.
template <int n>
inline void store_rows(const F64* in, double* p) {
    for (int h = 0; h < 2; ++h, p += 4 * n) {
        __m256d half[n];
        for (int k = 0; k < n; ++k) half[k] = h ? in[k].hi : in[k].lo;
        for (int k = 0; k + 4 <= n; k += 4) {
            __m256d rows[4];
            transpose4(half + k, rows);
            for (int l = 0; l < 4; ++l) _mm256_storeu_pd(p + l * n + k, rows[l]);
        }
        for (int k = n / 4 * 4; k < n; ++k)
            for (int l = 0; l < 4; ++l) p[l * n + k] = half[k][l];
    }
}

#else

inline void load_rows4(const double* p, F64* out) {
    alignas(64) double column[4][lanes];
    for (int l = 0; l < lanes; ++l)
        for (int k = 0; k < 4; ++k) column[k][l] = p[4 * l + k];
    for (int k = 0; k < 4; ++k) out[k] = load(column[k]);
}

/// Rows of `n` numbers, one after the other from `p` on.
template <int n>
inline void store_rows(const F64* in, double* p) {
    alignas(64) double column[n][lanes];
    for (int k = 0; k < n; ++k) store(in[k], column[k]);
    for (int l = 0; l < lanes; ++l)
        for (int k = 0; k < n; ++k) p[l * n + k] = column[k][l];
}

#endif

}  // namespace
