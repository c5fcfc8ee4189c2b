// Points in space from where cameras see them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace trackcore {

/// Why a point has a position, or has none. Same values as `trackcore.Triangulation`.
enum class Triangulation : std::uint8_t {
    ok = 0,
    too_few_views = 1,  ///< fewer than two cameras see it
    at_infinity = 2,    ///< all its rays are parallel, or leave one centre
    behind_camera = 3,  ///< the rays meet behind a camera that sees it
    small_angle = 4,    ///< the rays cross at less than asked for, or lie on one line
    not_converged = 5,  ///< refined only
};

enum class TriangulationMethod : std::uint8_t { dlt = 0, optimal = 1, refined = 2 };

struct TriangulateOptions {
    TriangulationMethod method = TriangulationMethod::dlt;
    double sigma_px = 1.0;  ///< standard deviation of a coordinate
    double robust_px = std::numeric_limits<double>::infinity();  ///< Huber's limit; refined only
    double least_angle_rad = 0.0;
    int threads = 1;
};

/// Who owns the results, one entry per point. All are NaN unless the status is `ok`, but for the
/// angle, which needs only two views.
struct TriangulatedPoints {
    double* X_world = nullptr;          ///< (n, 3)
    std::uint8_t* status = nullptr;     ///< (n) Triangulation
    double* covariance = nullptr;       ///< (n, 3, 3), or null if not wanted
    double* reprojection_px = nullptr;  ///< (n) rms over the views of the distance
    double* view_error_px = nullptr;    ///< (n, n_views) distance in each; NaN where unseen
    double* angle_rad = nullptr;        ///< (n) the largest between two of the rays
};

/// Points from N >= 2 views each.
///
/// dlt: each view gives two equations, u P[2] - P[0] and v P[2] - P[1], as they are; X is the right
/// singular vector of the smallest singular value (Hartley & Zisserman, Multiple View Geometry, 2nd
/// ed., sec. 12.2). By Householder reflections and inverse iteration; by Jacobi rotations where
/// that does not settle.
/// optimal: two views only. Positions are moved the least squared distance that makes their rays
/// meet (Lindstrom 2010), then dlt.
/// refined: dlt, then Gauss-Newton on the sum of squared distances in the images, or of Huber's
/// function of them.
/// Covariance: sigma^2 (J'WJ)^-1 of the reprojection at the result.
///
/// The third row of a projection is depth, as in K [R | t], whichever the handedness of the world;
/// only if determinants of both signs are among the P has each its sign chosen to be positive.
///
/// @param P_img_world  (n_views, 3, 4) world [m] to image [px]; the left 3 x 3 are regular
/// @param uv_px        (n, n_views, 2); a position that is not finite means "not seen"
/// The same bits whatever `threads`, the CPU level and the other points.
void triangulate(const double* P_img_world, int n_views, const double* uv_px, std::ptrdiff_t n,
                 const TriangulateOptions& options, const TriangulatedPoints& out);

/// Index of the first projection that is not finite or has no centre (left 3 x 3 singular to within
/// rounding, whatever the scale of its rows), or n_views.
int first_without_center(const double* P_img_world, int n_views);

}  // namespace trackcore
