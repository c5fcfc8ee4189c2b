#include "core/triangulate.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "core/simd/triangulate.hpp"
#include "core/threads.hpp"

TRACKCORE_DEFINE_KERNELS(TriangulateKernels, triangulate_kernels)

namespace trackcore {
namespace {

using Mat34 = Eigen::Matrix<double, 3, 4, Eigen::RowMajor>;
using Mat33 = Eigen::Matrix<double, 3, 3, Eigen::RowMajor>;

constexpr std::ptrdiff_t points_at_a_time = 1024;
constexpr std::size_t alignment = 64;
constexpr double least_volume = 1e-12;  // of unit rows: those of K R with a long lens have 1e-6

struct Cameras {
    std::vector<double> centers, facing;
    Mat33 F = Mat33::Zero();
    simd::ViewPair pair{};
};

/// x0' F x1 = 0 for images of one point: determinants of two rows of one P with two of the other.
Mat33 fundamental(const Mat34& P0, const Mat34& P1) {
    Mat33 F;
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) {
            Eigen::Matrix4d rows;
            rows << P0.row((i + 1) % 3), P0.row((i + 2) % 3), P1.row((j + 1) % 3),
                P1.row((j + 2) % 3);
            F(i, j) = rows.determinant();
        }
    return F / F.norm();
}

/// The axes of a `simd::ViewPair`, by orthogonalising the first projection's rows, the third first.
simd::ViewPair in_axes_of_first(const Mat34& P0, const Mat34& P1) {
    Eigen::Matrix<double, 4, 3> rows;
    rows << P0.row(2).transpose(), P0.row(0).transpose(), P0.row(1).transpose();
    const Eigen::HouseholderQR<Eigen::Matrix<double, 4, 3>> qr(rows);
    const Eigen::Matrix4d axes = qr.householderQ();
    const Eigen::Matrix3d R = qr.matrixQR().topRows<3>();  // its transpose is P0 in the axes
    const double a = R(0, 0), b = R(0, 1), c = R(1, 1), d = R(0, 2), e = R(1, 2), f = R(2, 2);
    simd::ViewPair pair{{a / c, b / c, a / f, d / f, e / f}, {}, {}, {}};
    Eigen::Matrix2d C;
    // Both views times the same power of two, so that products of many terms stay within range.
    const double unit = std::ldexp(1.0, -std::ilogb(c));
    C << c * unit, 0.0, e * unit, f * unit;
    const Eigen::Matrix2d inverse = C.inverse();
    const Eigen::Matrix2d square = inverse * inverse.transpose();
    pair.inverse[0] = square(0, 0);
    pair.inverse[1] = square(0, 1);
    pair.inverse[2] = square(1, 1);
    Eigen::Map<Mat34>(pair.P1) = P1 * axes * unit;
    Eigen::Map<Eigen::Matrix<double, 4, 4, Eigen::RowMajor>>(pair.axes) = axes;
    return pair;
}

Cameras understand(const double* P_img_world, int n_views) {
    Cameras cameras;
    bool positive = false, negative = false;
    for (int c = 0; c < n_views; ++c) {
        const Mat34 P = Eigen::Map<const Mat34>(P_img_world + 12 * c);
        const Eigen::Vector3d center = -P.leftCols<3>().fullPivLu().solve(P.col(3));
        cameras.centers.insert(cameras.centers.end(), center.data(), center.data() + 3);
        const double sign = P.leftCols<3>().determinant() < 0.0 ? -1.0 : 1.0;
        cameras.facing.push_back(sign);
        (sign > 0.0 ? positive : negative) = true;
    }
    if (!(positive && negative)) std::fill(cameras.facing.begin(), cameras.facing.end(), 1.0);
    if (n_views == 2) {
        const Mat34 P0 = Eigen::Map<const Mat34>(P_img_world);
        const Mat34 P1 = Eigen::Map<const Mat34>(P_img_world + 12);
        cameras.F = fundamental(P0, P1);
        cameras.pair = in_axes_of_first(P0, P1);
    }
    return cameras;
}

}  // namespace

int first_without_center(const double* P_img_world, int n_views) {
    for (int c = 0; c < n_views; ++c) {
        const Mat34 P = Eigen::Map<const Mat34>(P_img_world + 12 * c);
        const double volume = P.leftCols<3>().rowwise().normalized().determinant();
        if (!P.allFinite() || !(std::abs(volume) > least_volume)) return c;
    }
    return n_views;
}

void triangulate(const double* P_img_world, int n_views, const double* uv_px, std::ptrdiff_t n,
                 const TriangulateOptions& options, const TriangulatedPoints& out) {
    if (options.method == TriangulationMethod::optimal && n_views != 2)
        throw std::invalid_argument("optimal triangulation is of two views");
    const Cameras cameras = understand(P_img_world, n_views);
    const simd::TriangulateTask task{
        n_views,
        static_cast<int>(options.method),
        P_img_world,
        cameras.centers.data(),
        cameras.facing.data(),
        cameras.F.data(),
        &cameras.pair,
        options.sigma_px,
        options.robust_px,
        options.least_angle_rad,
        uv_px,
        out.X_world,
        out.status,
        out.covariance,
        out.reprojection_px,
        out.view_error_px,
        out.angle_rad,
    };
    const auto& kernels = simd::triangulate_kernels();
    const auto pieces = static_cast<int>((n + points_at_a_time - 1) / points_at_a_time);
    parallel_for(pieces, 1, options.threads, [&](int first, int last) {
        constexpr std::size_t spare = alignment / sizeof(double);
        std::vector<double> room(simd::scratch_doubles(n_views) + spare);
        void* scratch = room.data();
        std::size_t size = room.size() * sizeof(double);
        std::align(alignment, size - alignment, scratch, size);
        kernels.triangulate(task, first * points_at_a_time, std::min(n, last * points_at_a_time),
                            static_cast<double*>(scratch));
    });
}

}  // namespace trackcore
