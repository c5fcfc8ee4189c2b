#include "core/simd/zncc.hpp"

#include <math.h>

#include "core/simd/vec32.hpp"

namespace {

/// Loops over whole vectors have no tail.
inline int whole(int n) {
    return (n + trackcore::simd::column_slack - 1) & -trackcore::simd::column_slack;
}

void slide(const std::int32_t* __restrict from, const std::int32_t* __restrict add,
           const std::int32_t* __restrict drop, int n, std::int32_t* __restrict to) {
    // Unsigned: what lies in the slack may overflow.
    const auto bits = [](std::int32_t value) { return static_cast<std::uint32_t>(value); };
    for (int i = 0; i < whole(n); ++i)
        to[i] = static_cast<std::int32_t>(bits(from[i]) + bits(add[i]) - bits(drop[i]));
}

/// Doubles that are summed in registers.
constexpr int together = 8;

inline void add_shifted(const double* a, const double* b, int n, double* out) {
    for (int x = 0; x < whole(n); ++x) out[x] = a[x] + b[x];
}

/// Sums over 1, 2, 4 ... neighbours, each from two of the one before; those that make up `span`
/// are added.
void add_across(const float* row, int span, int shifts, double* scratch, double* sum,
                double* squares) {
    const int width = shifts + span - 1, stride = whole(width);
    double *have = scratch, *next = scratch + 2 * stride + trackcore::simd::across_slack;
    for (int x = 0; x < stride; ++x) {
        const double v = row[x];  // squares lie behind the values
        have[x] = v;
        have[x + stride] = v * v;
    }
    int covered = 0;  // neighbours that the sums have
    for (int size = 1;; size *= 2) {
        if (span & size) {
            for (int k = 0; k < 2; ++k) {
                const double* from = have + k * stride + covered;
                double* to = k == 0 ? sum : squares;
                if (covered == 0)
                    std::memcpy(to, from, sizeof(*to) * static_cast<std::size_t>(whole(shifts)));
                else
                    add_shifted(to, from, shifts, to);
            }
            covered += size;
        }
        if (2 * size > span) return;
        add_shifted(have, have + size, stride + width - size, next);
        double* const swap = have;
        have = next;
        next = swap;
    }
}

void add_down(const double* rows, std::ptrdiff_t stride, int n_rows, int n, double* out) {
    for (int x = 0; x < whole(n); x += together) {
        double total[together] = {};
        for (int y = 0; y < n_rows; ++y)
            for (int i = 0; i < together; ++i) total[i] += rows[y * stride + x + i];
        for (int i = 0; i < together; ++i) out[x + i] = total[i];
    }
}

/// `least` is the share of the squares that their rounding may leave of a flat window.
template <class Product, class Sum>
inline void score_any(const Product* __restrict cross, const Sum* __restrict sum,
                      const Sum* __restrict squares, int shifts, double pixels, double pattern_sum,
                      double least, float* __restrict out) {
    for (int x = 0; x < whole(shifts); ++x) {
        const double s = sum[x], total = pixels * squares[x];
        const double variance = total - s * s;
        const double covariance = pixels * cross[x] - s * pattern_sum;
        const bool flat = !(variance > least * total);
        const float quotient = static_cast<float>(covariance) *
                               static_cast<float>(fabs(covariance)) /
                               static_cast<float>(flat ? 1.0 : variance);
        out[x] = flat ? trackcore::simd::flat_score : quotient;
    }
    for (int x = shifts; x < whole(shifts); ++x) out[x] = trackcore::simd::flat_score;
}

unsigned rows_above(const std::int32_t* __restrict cross, std::ptrdiff_t cross_stride,
                    const std::int32_t* __restrict sum, std::ptrdiff_t sum_stride,
                    std::ptrdiff_t squares_at, int rows, int shifts, double pixels,
                    double pattern_sum, double least) {
    unsigned result = 0;
    for (int y = 0; y < rows; ++y, cross += cross_stride, sum += sum_stride) {
        const std::int32_t* __restrict squares = sum + squares_at;
        int above = 0;
        for (int x = 0; x < shifts; ++x) {
            const double s = sum[x];
            const double variance = pixels * squares[x] - s * s;
            const double covariance = pixels * cross[x] - s * pattern_sum;
            above |= covariance * fabs(covariance) > least * variance;
        }
        result |= static_cast<unsigned>(above) << y;
    }
    return result;
}

void score(const std::int32_t* cross, const std::int32_t* sum, const std::int32_t* squares,
           int shifts, double pixels, double pattern_sum, float* out) {
    score_any(cross, sum, squares, shifts, pixels, pattern_sum, 0.0, out);
}

void score_f32(const float* cross, const double* sum, const double* squares, int shifts,
               double pixels, double pattern_sum, float* out) {
    score_any(cross, sum, squares, shifts, pixels, pattern_sum, 1e-12, out);
}

float highest(const float* values, int n) {
    WideFloat top = all(trackcore::simd::flat_score);
    int x = 0;
    for (; x + half_wide <= n; x += half_wide) top = max(top, load(values + x));
    float lanes[half_wide], result = trackcore::simd::flat_score;
    store(top, lanes);
    for (const float lane : lanes) result = lane > result ? lane : result;
    for (; x < n; ++x) result = values[x] > result ? values[x] : result;
    return result;
}

}  // namespace

namespace trackcore::simd {
const ZnccKernels TRACKCORE_LEVEL_TABLE(zncc_kernels){slide, add_across, add_down, rows_above,
                                                      score, score_f32,  highest};
}  // namespace trackcore::simd
