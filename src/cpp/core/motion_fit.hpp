// The dominant 2-D motion of many points between two frames: robust similarity, affine, homography.
#pragma once

#include <span>
#include <vector>

#include "core/types.hpp"

namespace trackcore {

/// Matched positions in two frames, about a centre and divided by a length, so that they are of
/// order 1; and the working memory of the fits, kept from pair to pair.
struct MatchedPoints {
    std::vector<double> x, y;    ///< in the first frame
    std::vector<double> u, v;    ///< in the second
    std::vector<double> r2;      ///< squared distance to the model fitted last
    std::vector<double> weight;  ///< of the fit at work; all are padded to whole vectors
    std::vector<double> scratch;
    std::size_t count = 0;  ///< how many are no padding

    void clear();
    void push(Vec2 from, Vec2 to);
    /// To call after the last push: fills up to whole vectors.
    void pad();
    std::size_t size() const { return count; }
    std::span<const double> distances2() const { return {r2.data(), count}; }
};

/// One fitted model. NaN where the points do not determine it.
struct MotionFit {
    Mat3 H;                  ///< first frame to second, about the centre, in units of the length
    double rms = 0;          ///< of the inliers' distances per axis, free of the fit's own freedom
    double inliers = 0;      ///< how many lie within 3.5 robust standard deviations
    double sigma_shift = 0;  ///< one standard deviation, per axis, of where the centre goes
    double sigma_turn = 0;   ///< the same of log scale, and of rotation [rad]
};

struct MotionFits {
    MotionFit similarity, affine, homography;
};

/// Fits all three by iteratively re-weighted least squares.
///
/// A similarity by least absolute distances, from the least squares solution; then each model with
/// Tukey's biweight at 5 robust standard deviations (median distance / 1.1774, the median of a
/// Rayleigh distribution), the simpler model's distances as the start. The homography minimises
/// the distance in the second frame by dividing its linear equations by the denominator of the
/// step before. No random numbers: the same points give the same bits.
/// Needs 3, 4 and 6 points that do not lie on one line (a similarity: not on one point).
///
/// Sources: Holland & Welsch 1977 (IRLS); Hartley & Zisserman, Multiple View Geometry, ch. 4.
///
/// @param least_rms  distances below this are exact: the scale never falls below it
MotionFits fit_motion(MatchedPoints& points, double least_rms);

/// Leaves in `points.r2` the squared distances to a model.
void motion_residuals(const Mat3& H, MatchedPoints& points);

}  // namespace trackcore
