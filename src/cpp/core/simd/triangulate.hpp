// The kernel of triangulation: as many points at a time as the CPU level has lanes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

/// Two views in axes (an orthogonal 4 x 4 change of X, which leaves least squares as they are) in
/// which the first projects (a, 0, 0, 0), (b, c, 0, 0), (d, e, f, 0): its third row, first, second.
struct ViewPair {
    double slope[5];    ///< a / c, b / c, a / f, d / f, e / f
    double inverse[3];  ///< of C C', C = (c, 0; e, f) times a power of two: upper triangle
    double P1[12];      ///< the second projection in these axes, times the same
    double axes[16];    ///< by rows: X_world = axes X
};

/// What is known of the cameras and wanted of the points; see core/triangulate.hpp.
struct TriangulateTask {
    int n_views;
    int method;             ///< 0 dlt, 1 optimal (two views), 2 refined
    const double* P;        ///< (n_views, 3, 4)
    const double* centers;  ///< (n_views, 3) of the cameras [m]
    const double* facing;   ///< (n_views) 1, or -1 where the third row of P is minus the depth
    const double* F;        ///< (3, 3) x0' F x1 = 0 for views 0 and 1; optimal only
    const ViewPair* pair;   ///< of views 0 and 1; two views only
    double sigma_px, robust_px, least_angle_rad;
    const double* uv_px;      ///< (n, n_views, 2), not finite where unseen
    double* X_world;          ///< (n, 3)
    std::uint8_t* status;     ///< (n)
    double* covariance;       ///< (n, 3, 3) or null
    double* reprojection_px;  ///< (n)
    double* view_error_px;    ///< (n, n_views)
    double* angle_rad;        ///< (n)
};

struct TriangulateKernels {
    /// Does points begin .. end - 1 of the task.
    /// @param scratch  `scratch_doubles(n_views)` numbers, aligned to 64 bytes
    void (*triangulate)(const TriangulateTask& task, std::ptrdiff_t begin, std::ptrdiff_t end,
                        double* scratch);
};

inline constexpr int most_lanes = 16;
/// For each view and lane: two coordinates, whether seen, and two equations of four coefficients.
inline constexpr std::size_t scratch_doubles(int n_views) {
    return static_cast<std::size_t>(n_views) * 11 * most_lanes;
}

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(TriangulateKernels, triangulate_kernels)
