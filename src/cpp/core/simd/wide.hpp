// Four doubles for the files in levels/, whatever the CPU has: sums that are made in four lanes and
// added up in one order have the same bits at every level.
#pragma once

#include <math.h>

#include <cstddef>
#include <cstring>

#if defined(__GNUC__) && defined(__SSE2__)
#include <immintrin.h>
#endif

namespace {

constexpr int wide_lanes = 4;

#if defined(__GNUC__)  // gcc and clang: their own vectors, which know + - * / < and ?:
#pragma GCC diagnostic ignored "-Wpsabi"  // nothing here is called from outside
#if defined(__AVX__)
constexpr int part_lanes = 4;
#else
constexpr int part_lanes = 2;  // wider than a register, gcc would compare and choose lane by lane
#endif
using Part = double __attribute__((vector_size(part_lanes * sizeof(double))));
inline Part part_of(double value) { return value - Part{}; }
#else  // loops over a constant number of lanes are what other compilers turn into vectors
constexpr int part_lanes = 1;
using Part = double;
inline Part part_of(double value) { return value; }
#endif

struct Wide {
    Part part[wide_lanes / part_lanes];
};

template <class Op>
inline Wide each(Op op) {
    Wide r;
    for (int i = 0; i < wide_lanes / part_lanes; ++i) r.part[i] = op(i);
    return r;
}

inline Wide all(double value) {
    return each([=](int) { return part_of(value); });
}
inline Wide load(const double* p) {
    Wide r;
    std::memcpy(&r, p, sizeof r);
    return r;
}
inline void store(const Wide& a, double* p) { std::memcpy(p, &a, sizeof a); }

inline Wide operator+(const Wide& a, const Wide& b) {
    return each([&](int i) { return a.part[i] + b.part[i]; });
}
inline Wide operator-(const Wide& a, const Wide& b) {
    return each([&](int i) { return a.part[i] - b.part[i]; });
}
inline Wide operator*(const Wide& a, const Wide& b) {
    return each([&](int i) { return a.part[i] * b.part[i]; });
}
inline Wide operator/(const Wide& a, const Wide& b) {
    return each([&](int i) { return a.part[i] / b.part[i]; });
}
/// yes where a < b, else no; NaN is not less.
inline Wide pick_less(const Wide& a, const Wide& b, const Wide& yes, const Wide& no) {
    return each([&](int i) { return a.part[i] < b.part[i] ? yes.part[i] : no.part[i]; });
}
/// yes where a is a number, no where it is NaN.
inline Wide pick_known(const Wide& a, const Wide& yes, const Wide& no) {
    // NOLINTNEXTLINE(misc-redundant-expression): only NaN differs from itself
    return each([&](int i) { return a.part[i] == a.part[i] ? yes.part[i] : no.part[i]; });
}
inline Wide larger(const Wide& a, const Wide& b) { return pick_less(b, a, a, b); }
inline Wide smaller(const Wide& a, const Wide& b) { return pick_less(a, b, a, b); }
inline Wide absolute(const Wide& a) { return larger(a, all(0.0) - a); }

inline Part root(const Part& a) {
#if defined(__GNUC__) && defined(__AVX__)
    return _mm256_sqrt_pd(a);
#elif defined(__GNUC__) && defined(__SSE2__)
    return _mm_sqrt_pd(a);
#elif defined(__GNUC__)
    return Part{sqrt(a[0]), sqrt(a[1])};
#else
    return sqrt(a);
#endif
}
inline Wide root(const Wide& a) {
    return each([&](int i) { return root(a.part[i]); });
}

inline double total(const Wide& a) {
    double v[wide_lanes];
    store(a, v);
    return (v[0] + v[2]) + (v[1] + v[3]);
}

}  // namespace
