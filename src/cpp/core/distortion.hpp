// The lens: where it puts what a pinhole would put elsewhere, and back.
#pragma once

#include <cstddef>

namespace trackcore {

/// OpenCV's rational model: x' = x (1 + k1 r2 + k2 r4 + k3 r6) / (1 + k4 r2 + k5 r4 + k6 r6)
/// + 2 p1 x y + p2 (r2 + 2 x2), y likewise, of coordinates on the plane one unit before the camera.
struct Lens {
    double fx = 1.0, skew = 0.0, cx = 0.0, fy = 1.0, cy = 0.0;
    double k1 = 0.0, k2 = 0.0, p1 = 0.0, p2 = 0.0, k3 = 0.0, k4 = 0.0, k5 = 0.0, k6 = 0.0;
    double most_r2 =
        0.0;  ///< the square of the radius from which on it folds back; may be infinite
};

/// Pixels of a pinhole with the same matrix -> pixels of the lens. NaN where the lens would fold
/// the picture back onto itself: nothing is seen there.
void distort(const Lens& lens, const double* uv_px, std::ptrdiff_t n, double* out_px);

/// The inverse, by Newton's method to rounding errors; NaN where it does not get there, or where no
/// point in front of the fold has that place.
void undistort(const Lens& lens, const double* uv_px, std::ptrdiff_t n, double* out_px);

}  // namespace trackcore
