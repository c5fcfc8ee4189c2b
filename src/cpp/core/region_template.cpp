// The half of region.hpp that looks at the template only.

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "core/region.hpp"
#include "core/region_lists.hpp"
#include "core/sampled_area.hpp"

namespace trackcore {
namespace {

constexpr double to_sample = 1 << simd::sample_bits;
// Noise that every image has, in 8-bit grey levels, and how well it must let a pattern be placed.
constexpr double noise_floor = 1.0, largest_sigma_px = 0.5;
// A deformation is known in advance to move the pattern's edge by no more than about this. What
// the pattern does not determine then stays as it is.
constexpr double prior_px = 2.0;
constexpr double least_pivot = 1e-6;  // of the largest: less is rounding

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor, 8, 8>;

/// Products of the columns of the model's Jacobian, brightness projected out if wanted. Fills what
/// the template keeps of the columns.
Matrix normal_equations(RegionTemplate& t) {
    const PatternPositions& at = pattern_positions(t.pattern);
    const int n = parameters(t.model), n_columns = jacobian_columns(t.model);
    const int list = t.pattern * t.pattern, stride = list_size(t.pattern);
    thread_local std::vector<float> columns;
    if (columns.size() < static_cast<std::size_t>(9 * stride))
        columns.resize(static_cast<std::size_t>(9 * stride));
    simd::region_kernels().make_columns(values(t), across(t), down(t), at.u.data(), at.v.data(),
                                        list, stride, columns.data());
    const simd::RegionSums of_values = correlate(t, at, columns.data());
    t.mean = static_cast<double>(of_values.i) / list;
    t.variation = of_values.i_i - t.mean * of_values.i;

    // Columns times ones; columns times columns, then the model's on one side and on both.
    float ones[8] = {};
    double half[8][8];
    for (int k = 0; k < n_columns; ++k) {
        const simd::RegionSums s = correlate(t, at, columns.data() + (k + 1) * stride);
        ones[k] = s.i;
        project(t.model, s.j, half[k]);
    }
    Matrix hessian(n, n);
    for (int i = 0; i < n; ++i) {
        float column[8] = {};
        for (int k = 0; k < n_columns; ++k) column[k] = static_cast<float>(half[k][i]);
        double row[8];
        project(t.model, column, row);
        for (int k = 0; k < n; ++k) hessian(i, k) = row[k];
    }
    project(t.model, ones, t.j_1);
    project(t.model, of_values.j, t.j_t);
    if (t.normalize && t.variation > 0.0) {
        for (int k = 0; k < n; ++k) t.j_t[k] -= t.mean * t.j_1[k];  // with T less its mean
        for (int i = 0; i < n; ++i)
            for (int k = 0; k < n; ++k)
                hessian(i, k) -= t.j_1[i] * t.j_1[k] / list + t.j_t[i] * t.j_t[k] / t.variation;
    }
    return 0.5 * (hessian + hessian.transpose());
}

bool invert(const Matrix& a, double* out) {
    const Eigen::LDLT<Matrix> factors(a);
    if (factors.info() != Eigen::Success) return false;
    const auto pivots = factors.vectorD();
    if (!(pivots.minCoeff() > least_pivot * pivots.maxCoeff())) return false;
    const Matrix inverse = factors.solve(Matrix::Identity(a.rows(), a.cols()));
    std::copy_n(inverse.data(), inverse.size(), out);
    return inverse.allFinite();
}

/// False where the pattern does not fix a position.
bool solve(RegionTemplate& t) {
    Matrix hessian = normal_equations(t);
    if (!(t.variation > 0.0)) return false;
    const int n = parameters(t.model);
    const double prior = 2.0 * std::pow(noise_floor * to_sample / prior_px, 2);
    for (int k = 2; k < n; ++k) hessian(k, k) += prior;
    if (!invert(hessian.topLeftCorner(2, 2), t.loc_inverse) || !invert(hessian, t.inverse))
        return false;
    t.unit_variance = 0.5 * (t.inverse[0] + t.inverse[n + 1]);
    const double loc_variance = 0.5 * (t.loc_inverse[0] + t.loc_inverse[3]);
    const double sigma_px = noise_floor * to_sample * std::sqrt(2.0 * loc_variance);
    return t.unit_variance > 0.0 && sigma_px <= largest_sigma_px;
}

}  // namespace

bool make_region_template(const ImageView& image, Vec2 xy_px, int pattern, MotionModel model,
                          bool normalize, RegionTemplate& out) {
    const double half = 0.5 * (pattern - 1);
    const int x0 = static_cast<int>(std::floor(xy_px.x - half + 0.5));
    const int y0 = static_cast<int>(std::floor(xy_px.y - half + 0.5));
    out.pattern = pattern, out.model = model, out.normalize = normalize;
    out.xy_px = xy_px;
    out.centre_px = {x0 + half, y0 + half};
    const int side = pattern + 4;  // gradients look two pixels further
    bool usable = true;
    out.map = sample_map(image, x0 - 2, y0 - 2, side, side, &usable);
    if (!usable) return false;
    thread_local PatchBuffer patch;
    cut_patch(image, x0 - 2, y0 - 2, side, side, out.map, patch.data);

    int total = 0;
    for (int y = 0; y < pattern; ++y)
        for (int x = 0; x < pattern; ++x) total += patch.data[(y + 2) * simd::patch_stride + x + 2];
    out.base = total / (pattern * pattern);
    const int n = pattern * pattern, size = list_size(pattern);
    out.samples.resize(static_cast<std::size_t>(3 * size));
    std::int16_t* lists = out.samples.data();
    simd::region_kernels().make_list(patch.data, simd::patch_stride, pattern, out.base, lists,
                                     lists + size, lists + 2 * size);
    for (int k = 0; k < 3; ++k)
        std::fill(lists + k * size + n, lists + (k + 1) * size, std::int16_t{0});
    return solve(out);
}

}  // namespace trackcore
