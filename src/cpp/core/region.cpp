#include "core/region.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/simd/region.hpp"
#include "core/sinc.hpp"

TRACKCORE_DEFINE_KERNELS(RegionKernels, region_kernels)

namespace trackcore {
namespace {

constexpr double to_sample = 1 << simd::sample_bits;
// Noise that every image has, in 8-bit grey levels, and how well a pattern must then be placed.
constexpr double noise_floor = 1.0, largest_sigma_px = 0.5;
// A deformation that moves the pattern's edge is known in advance to about this.
constexpr double prior_px = 2.0;
constexpr double largest_scale = 8.0;  // and smallest, inverted
constexpr int grid_margin = 3;         // pixels a pattern may move before its image is cut again
constexpr int largest_fine_side = 96;  // pixels; larger areas are sampled at their own spacing
constexpr int largest_side = 272;
constexpr double settled_px = 0.1;  // a step this short is an answer, though not the last digit
constexpr double least_gain = 0.2, most_gain = 5.0;

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor, 8, 8>;
using Map = Eigen::Map<Eigen::Matrix<double, 3, 3, Eigen::RowMajor>>;
using ConstMap = Eigen::Map<const Eigen::Matrix<double, 3, 3, Eigen::RowMajor>>;

Mat3 product(const Mat3& a, const Mat3& b) {
    Mat3 out;
    Map(out.m).noalias() = ConstMap(a.m) * ConstMap(b.m);
    return out;
}

/// Inverse up to scale.
Mat3 adjugate(const Mat3& a) {
    const double* m = a.m;
    return {{m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
             m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
             m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]}};
}

Mat3 normalised(Mat3 a) {
    for (double& m : a.m) m /= a.m[8] != 0.0 ? a.m[8] : std::numeric_limits<double>::quiet_NaN();
    a.m[8] = 1.0;
    return a;
}

// ---- motion models ----

int parameters(MotionModel model) {
    constexpr int n[] = {2, 3, 3, 4, 6, 8};
    return n[static_cast<int>(model)];
}

/// Columns of the kernels' Jacobian that the model needs.
int columns(MotionModel model) {
    return model == MotionModel::loc ? 2 : model == MotionModel::perspective ? 8 : 6;
}

/// Products with the kernels' columns -> with the model's.
void project(MotionModel model, const float* j, double* out) {
    out[0] = j[0], out[1] = j[1];
    const double scale = j[2] + j[5], rotation = j[4] - j[3];
    switch (model) {
        case MotionModel::loc: return;
        case MotionModel::loc_rot: out[2] = rotation; return;
        case MotionModel::loc_scale: out[2] = scale; return;
        case MotionModel::loc_rot_scale: out[2] = scale, out[3] = rotation; return;
        case MotionModel::affine:
        case MotionModel::perspective: std::copy_n(j + 2, columns(model) - 2, out + 2); return;
    }
}

/// The motion that parameters [px at the pattern's edge] describe, in half patterns.
Mat3 motion(MotionModel model, const double* p, double half) {
    const double x = p[0] / half, y = p[1] / half;
    double a = 1.0, b = 0.0, c = 0.0, d = 1.0, e = 0.0, f = 0.0;
    switch (model) {
        case MotionModel::loc: break;
        case MotionModel::loc_rot:
            a = d = std::cos(p[2] / half);
            c = std::sin(p[2] / half);
            b = -c;
            break;
        case MotionModel::loc_scale: a = d = 1.0 + p[2] / half; break;
        case MotionModel::loc_rot_scale:
            a = d = 1.0 + p[2] / half;
            c = p[3] / half;
            b = -c;
            break;
        case MotionModel::perspective: e = -p[6] / half, f = -p[7] / half; [[fallthrough]];
        case MotionModel::affine:
            a += p[2] / half, b = p[3] / half, c = p[4] / half, d += p[5] / half;
            break;
    }
    return {{a, b, x, c, d, y, e, f, 1.0}};
}

/// How far parameters move the pattern's corners at most [px].
double corner_movement(const double* p, int n) {
    double across = std::abs(p[0]), down = std::abs(p[1]);
    if (n == 3 || n == 4) {
        across += std::abs(p[2]), down += std::abs(p[2]);
        if (n == 4) across += std::abs(p[3]), down += std::abs(p[3]);
    } else if (n >= 6) {
        across += std::abs(p[2]) + std::abs(p[3]), down += std::abs(p[4]) + std::abs(p[5]);
        if (n == 8) across += std::abs(p[6]) + std::abs(p[7]), down += std::abs(p[6]) + std::abs(p[7]);
    }
    return std::hypot(across, down);
}

/// Half patterns around the middle -> pixels of the template's image.
Mat3 placement(const RegionTemplate& t) {
    const double half = 0.5 * (t.pattern - 1);
    return {{half, 0.0, t.centre_px.x, 0.0, half, t.centre_px.y, 0.0, 0.0, 1.0}};
}

// ---- memory and pixels ----

struct Workspace {
    std::vector<std::int16_t> patch, scratch;
    std::vector<std::int32_t> grid;
    std::vector<float> u, v, values, columns;
    int pattern = 0;  // whose positions u and v are
};

/// This thread's workspace, with the positions of the pattern's pixels.
Workspace& workspace(int pattern) {
    thread_local Workspace w;
    if (w.pattern == pattern) return w;
    const auto n = static_cast<std::size_t>(simd::padded_pixels(pattern * pattern));
    w.u.assign(n, 0.0f), w.v.assign(n, 0.0f), w.values.assign(n, 0.0f);
    const double half = 0.5 * (pattern - 1);
    for (int i = 0; i < pattern * pattern; ++i) {
        w.u[i] = static_cast<float>((i % pattern - half) / half);
        w.v[i] = static_cast<float>((i / pattern - half) / half);
    }
    w.pattern = pattern;
    return w;
}

int list_size(int pattern) { return simd::padded_pixels(pattern * pattern) + simd::list_slack; }

const std::int16_t* plane(const RegionTemplate& t, int index) {
    return t.samples.data() + index * list_size(t.pattern);
}

simd::RegionSums correlate(const RegionTemplate& t, const Workspace& w, const float* values, int n_columns) {
    const auto& kernels = simd::region_kernels();
    const auto kernel = n_columns == 2   ? kernels.correlate_2
                        : n_columns == 6 ? kernels.correlate_6
                                         : kernels.correlate_8;
    simd::RegionSums sums{};
    kernel(values, plane(t, 0), plane(t, 1), plane(t, 2), w.u.data(), w.v.data(),
           t.pattern * t.pattern, &sums);
    return sums;
}

// ---- the template's part of the normal equations ----

bool invert(const Matrix& a, double* out) {
    const Eigen::LDLT<Matrix> factors(a);
    if (factors.info() != Eigen::Success || !factors.isPositive()) return false;
    const Matrix inverse = factors.solve(Matrix::Identity(a.rows(), a.cols()));
    std::copy_n(inverse.data(), inverse.size(), out);
    return inverse.allFinite();
}

/// Products of the columns of the model's Jacobian, brightness projected out if wanted. Fills what
/// the template keeps of the columns.
Matrix products(RegionTemplate& t) {
    Workspace& w = workspace(t.pattern);
    const int n = parameters(t.model), n_columns = columns(t.model), list = t.pattern * t.pattern;
    const std::ptrdiff_t stride = list_size(t.pattern);
    const double pixels = list;
    if (w.columns.size() < static_cast<std::size_t>(9 * stride)) w.columns.resize(static_cast<std::size_t>(9 * stride));
    simd::region_kernels().make_columns(plane(t, 0), plane(t, 1), plane(t, 2), w.u.data(),
                                        w.v.data(), list, stride, w.columns.data());
    const simd::RegionSums values = correlate(t, w, w.columns.data(), n_columns);
    t.mean = values.i / pixels;
    t.variation = values.i_i - t.mean * values.i;

    float sums[8], full[8][8] = {};  // ones times columns, columns times columns
    double half_projected[8][8];
    for (int k = 0; k < n_columns; ++k) {
        const simd::RegionSums s = correlate(t, w, w.columns.data() + (k + 1) * stride, n_columns);
        std::copy_n(s.j, 8, full[k]);
        sums[k] = s.i;
    }
    project(t.model, sums, t.j_1);
    project(t.model, values.j, t.j_t);
    Matrix hessian(n, n);
    for (int k = 0; k < n_columns; ++k) project(t.model, full[k], half_projected[k]);
    for (int i = 0; i < n; ++i) {
        float column[8] = {};
        for (int k = 0; k < n_columns; ++k) column[k] = static_cast<float>(half_projected[k][i]);
        double row[max_model_parameters];
        project(t.model, column, row);
        for (int k = 0; k < n; ++k) hessian(i, k) = row[k];
    }
    if (t.normalize && t.variation > 0.0) {
        for (int k = 0; k < n; ++k) t.j_t[k] -= t.mean * t.j_1[k];  // with T less its mean
        for (int i = 0; i < n; ++i)
            for (int k = 0; k < n; ++k)
                hessian(i, k) -= t.j_1[i] * t.j_1[k] / pixels + t.j_t[i] * t.j_t[k] / t.variation;
    }
    return 0.5 * (hessian + hessian.transpose());
}

/// Fills the normal equations from the lists. False where they do not fix a position.
bool prepare(RegionTemplate& t) {
    Matrix hessian = products(t);
    if (!(t.variation > 0.0)) return false;
    const int n = parameters(t.model);
    for (int k = 2; k < n; ++k) hessian(k, k) += 2.0 * std::pow(noise_floor * to_sample / prior_px, 2);
    if (!invert(hessian.topLeftCorner(2, 2), t.loc_inverse) || !invert(hessian, t.inverse)) return false;
    t.unit_variance = 0.5 * (t.inverse[0] + t.inverse[n + 1]);
    const double loc_variance = 0.5 * (t.loc_inverse[0] + t.loc_inverse[3]);
    const double sigma_px = noise_floor * to_sample * std::sqrt(2.0 * loc_variance);
    return t.unit_variance > 0.0 && sigma_px <= largest_sigma_px;
}

// ---- alignment ----

/// The part of an image under a pattern, ready to be sampled anywhere.
class Area {
  public:
    Area(const ImageView& image, const SampleMap& map) : image_(image), map_(map) {}

    /// Makes sure that the pattern lies inside; false when it is too large.
    bool cover(const Mat3& warp, Workspace& w) {
        double lo_x = 1e300, lo_y = 1e300, hi_x = -1e300, hi_y = -1e300;
        for (const Vec2 corner : {Vec2{-1, -1}, Vec2{1, -1}, Vec2{-1, 1}, Vec2{1, 1}}) {
            const Vec2 p = apply(warp, corner);
            lo_x = std::min(lo_x, p.x), hi_x = std::max(hi_x, p.x);
            lo_y = std::min(lo_y, p.y), hi_y = std::max(hi_y, p.y);
        }
        // Half a pixel of care: positions are float32 in the kernels.
        if (lo_x >= x0_ + 0.5 && lo_y >= y0_ + 0.5 && hi_x <= x0_ + width_ - 1.5 &&
            hi_y <= y0_ + height_ - 1.5)
            return true;
        if (!(hi_x - lo_x < largest_side - 20 && hi_y - lo_y < largest_side - 20)) return false;
        x0_ = static_cast<int>(std::floor(lo_x)) - grid_margin;
        y0_ = static_cast<int>(std::floor(lo_y)) - grid_margin;
        width_ = static_cast<int>(std::ceil(hi_x)) + grid_margin + 1 - x0_;
        height_ = static_cast<int>(std::ceil(hi_y)) + grid_margin + 1 - y0_;
        cut(w);
        return true;
    }

    /// Samples the pattern's pixels at `warp` into the workspace.
    void sample(const Mat3& warp, int pattern, double base, Workspace& w) const {
        float m[9];
        for (int i = 0; i < 3; ++i) {
            m[i] = static_cast<float>(scale_ * (warp.m[i] - x0_ * warp.m[6 + i]));
            m[3 + i] = static_cast<float>(scale_ * (warp.m[3 + i] - y0_ * warp.m[6 + i]));
            m[6 + i] = static_cast<float>(warp.m[6 + i]);
        }
        const auto& kernels = simd::region_kernels();
        const bool affine = m[6] == 0.0f && m[7] == 0.0f;
        (affine ? kernels.sample_affine : kernels.sample_perspective)(
            {w.grid.data(), grid_stride_}, m, w.u.data(), w.v.data(), pattern * pattern,
            static_cast<float>(base), w.values.data());
    }

  private:
    void cut(Workspace& w) {
        constexpr int before = simd::taps_before, taps = before + simd::taps_after;
        const auto& kernels = simd::region_kernels();
        const int wide = (width_ + 31) / 32 * 32;
        const std::ptrdiff_t stride = wide + taps + simd::column_room;
        const auto room = static_cast<std::size_t>(stride * (height_ + taps + 1));
        if (w.patch.size() < room) w.patch.resize(room), w.scratch.resize(room);
        scale_ = std::max(width_, height_) <= largest_fine_side ? 2 : 1;
        grid_stride_ = scale_ * wide + 4;
        const auto cells = static_cast<std::size_t>(grid_stride_) * scale_ * height_;
        if (w.grid.size() < cells) w.grid.resize(cells);
        cut_patch(image_, x0_ - before, y0_ - before, width_ + taps, height_ + taps, map_,
                  w.patch.data(), stride);
        const std::int16_t* patch = w.patch.data() + before * stride + before;
        if (scale_ == 1)
            return kernels.keep_spacing(patch, stride, width_, height_, w.grid.data(), grid_stride_);
        const std::int16_t* half = sinc_taps(1 << 14);
        const std::int16_t weights[4] = {
            static_cast<std::int16_t>(2 * half[0]), static_cast<std::int16_t>(2 * half[1]),
            static_cast<std::int16_t>(2 * half[2]), static_cast<std::int16_t>(2 * half[3])};
        kernels.halve_spacing(patch, stride, width_, height_, weights, w.scratch.data(),
                              w.grid.data(), grid_stride_);
    }

    const ImageView& image_;
    const SampleMap& map_;
    int x0_ = 0, y0_ = 0, width_ = 0, height_ = 0, scale_ = 1, grid_stride_ = 0;
};

/// Whether a warp keeps its orientation and scales within reason, everywhere in the pattern.
bool plausible(const Mat3& warp, double half) {
    const double* m = warp.m;
    for (const Vec2 at : {Vec2{0, 0}, Vec2{-1, -1}, Vec2{1, -1}, Vec2{-1, 1}, Vec2{1, 1}}) {
        const double w = m[6] * at.x + m[7] * at.y + m[8];
        if (!(w > 0.1)) return false;
        const Vec2 p = apply(warp, at);
        const double a = (m[0] - p.x * m[6]) / (w * half), b = (m[1] - p.x * m[7]) / (w * half);
        const double c = (m[3] - p.y * m[6]) / (w * half), d = (m[4] - p.y * m[7]) / (w * half);
        const double det = a * d - b * c, square = a * a + b * b + c * c + d * d;
        // Singular values s, t: det = s t, square = s^2 + t^2.
        const double root = std::sqrt(std::max(square * square - 4.0 * det * det, 0.0));
        const double most = 0.5 * (square + root), least = 0.5 * (square - root);
        if (!(det > 0.0 && most <= largest_scale * largest_scale &&
              least * largest_scale * largest_scale >= 1.0))
            return false;
        if (m[6] == 0.0 && m[7] == 0.0) break;  // the same everywhere
    }
    return true;
}

bool inside(Vec2 v, const ImageView& image) {
    return v.x >= -0.5 && v.y >= -0.5 && v.x <= image.width - 0.5 && v.y <= image.height - 0.5;
}

/// What one comparison of template and image says.
struct Comparison {
    double gain, ncc, mean_square;  // rms difference squared, brightness removed if wanted
    double gradient[max_model_parameters];
};

Comparison compare(const RegionTemplate& t, const simd::RegionSums& s, MotionModel model) {
    const double pixels = t.pattern * t.pattern;
    const double covariance = s.i_t - t.mean * s.i;
    const double variation = std::max(s.i_i - static_cast<double>(s.i) * s.i / pixels, 0.0);
    Comparison c{};
    c.gain = covariance / t.variation;
    c.ncc = variation > 0.0
                ? std::clamp(covariance / std::sqrt(variation * t.variation), -1.0, 1.0)
                : 0.0;
    project(model, s.j, c.gradient);
    if (t.normalize) {
        for (int k = 0; k < parameters(model); ++k)
            c.gradient[k] -= t.j_1[k] * s.i / pixels + t.j_t[k] * c.gain;
        c.mean_square = std::max(variation - c.gain * covariance, 0.0) / pixels;
    } else {
        const double tt = t.variation + pixels * t.mean * t.mean;
        for (int k = 0; k < parameters(model); ++k) c.gradient[k] -= t.j_t[k];
        c.mean_square = std::max(s.i_i - 2.0 * s.i_t + tt, 0.0) / pixels;
    }
    return c;
}

RegionFit lost_fit(PointStatus why, int iterations) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr auto nan32 = std::numeric_limits<float>::quiet_NaN();
    return {{{nan, nan, nan, nan, nan, nan, nan, nan, nan}},
            {nan, nan},
            nan32,
            nan32,
            nan32,
            iterations,
            why};
}

}  // namespace

Mat3 translation(Vec2 from_px, Vec2 to_px) {
    return {{1, 0, to_px.x - from_px.x, 0, 1, to_px.y - from_px.y, 0, 0, 1}};
}

Vec2 apply(const Mat3& warp, Vec2 p) {
    const double* m = warp.m;
    const double w = m[6] * p.x + m[7] * p.y + m[8];
    return {(m[0] * p.x + m[1] * p.y + m[2]) / w, (m[3] * p.x + m[4] * p.y + m[5]) / w};
}

bool make_region_template(const ImageView& image, Vec2 xy_px, int pattern, MotionModel model,
                          bool normalize, RegionTemplate& out) {
    const double half = 0.5 * (pattern - 1);
    const int x0 = static_cast<int>(std::floor(xy_px.x - half + 0.5));
    const int y0 = static_cast<int>(std::floor(xy_px.y - half + 0.5));
    out.pattern = pattern, out.model = model, out.normalize = normalize;
    out.xy_px = xy_px;
    out.centre_px = {x0 + half, y0 + half};
    bool usable = true;
    const int side = pattern + 4;
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
    for (int k = 0; k < 3; ++k) std::fill(lists + k * size + n, lists + (k + 1) * size, std::int16_t{0});
    return prepare(out);
}

RegionFit refine_region(const RegionTemplate& t, const ImageView& next, const Mat3& initial_warp,
                        const RefineOptions& options) {
    const double half = 0.5 * (t.pattern - 1);
    const int n = parameters(t.model);
    const Mat3 place = placement(t);
    Mat3 warp = normalised(product(initial_warp, place));
    const Vec2 point{(t.xy_px.x - t.centre_px.x) / half, (t.xy_px.y - t.centre_px.y) / half};
    const Vec2 start = apply(warp, point);
    const Vec2 around = std::isnan(options.around_px.x) ? start : options.around_px;
    Workspace& w = workspace(t.pattern);
    Area area(next, t.map);
    Comparison now{};
    double moved = std::numeric_limits<double>::infinity();
    double last[max_model_parameters] = {};
    int i = 0;
    while (i < options.max_iterations && moved >= options.epsilon_px) {
        const Vec2 at = apply(warp, point);
        if (!plausible(warp, half)) return lost_fit(PointStatus::not_converged, i);
        if (!inside(at, next)) return lost_fit(PointStatus::out_of_frame, i);
        if (!(std::abs(at.x - around.x) <= options.reach_px &&
              std::abs(at.y - around.y) <= options.reach_px) ||
            !area.cover(warp, w))
            return lost_fit(PointStatus::not_converged, i);
        area.sample(warp, t.pattern, t.base, w);
        now = compare(t, correlate(t, w, w.values.data(), columns(t.model)), t.model);
        ++i;
        const double gain = t.normalize ? std::clamp(now.gain, least_gain, most_gain) : 1.0;
        double step[max_model_parameters] = {}, against = 0.0, along = 0.0;
        for (int k = 0; k < n; ++k)
            for (int l = 0; l < n; ++l) step[k] += t.inverse[k * n + l] * now.gradient[l] / gain;
        // Two steps that undo each other circle the answer: take the middle.
        for (int k = 0; k < n; ++k) {
            against += (step[k] + last[k]) * (step[k] + last[k]);
            along += step[k] * step[k];
        }
        const bool circling = i > 1 && against < 0.25 * along;
        for (int k = 0; k < n; ++k) step[k] *= circling ? 0.5 : 1.0;
        std::copy_n(step, n, last);
        moved = corner_movement(step, n);
        warp = normalised(product(warp, adjugate(motion(t.model, step, half))));
    }
    const Vec2 at = apply(warp, point);
    if (!plausible(warp, half) || !(moved < std::max(settled_px, options.epsilon_px)))
        return lost_fit(PointStatus::not_converged, i);
    if (!inside(at, next)) return lost_fit(PointStatus::out_of_frame, i);
    if (!(now.ncc >= options.min_ncc)) return lost_fit(PointStatus::low_correlation, i);
    RegionFit fit = lost_fit(PointStatus::tracked, i);
    fit.warp = normalised(product(warp, adjugate(place)));
    fit.xy_px = at;
    fit.ncc = static_cast<float>(now.ncc);
    fit.residual = static_cast<float>(std::sqrt(now.mean_square) / t.map.scale);
    // Rounding to whole grey levels is noise as well: 1/12 in each 8-bit image.
    const double noise = next.type == PixelType::u8
                             ? std::max(now.mean_square, to_sample * to_sample / 6.0)
                             : now.mean_square;
    const double scale = std::sqrt(std::abs(warp.m[0] * warp.m[4] - warp.m[1] * warp.m[3])) / half;
    fit.sigma_px = static_cast<float>(scale * std::sqrt(noise * t.unit_variance));
    return fit;
}

}  // namespace trackcore
