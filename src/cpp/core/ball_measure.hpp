// What the runs of a blob say before any fit: moments, motion, edges.
#pragma once

#include <cstdint>
#include <span>

#include "core/ball_background.hpp"
#include "core/blob_runs.hpp"

namespace trackcore {

/// Sums over pixels of a blob, from which everything about it follows.
struct BlobSums {
    double area = 0, x = 0, y = 0, squares = 0;  ///< of pixels; squares: x^2 + y^2
    double weight = 0, wx = 0, wy = 0, wxx = 0, wxy = 0, wyy = 0;  ///< of |image - background|
    double contrast = 0;                                           ///< sum of image - background
    double change = 0;     ///< sum of (image - image before)^2
    double variance = 0;   ///< sum of the noise's variance
    double edge_now = 0;   ///< sum of the image's steps at the ends of runs
    double edge_base = 0;  ///< the background's there

    void add(const BlobSums& other);
};

/// Adds what pixels [run.x0, run.x1) say; positions relative to (x0, y0).
void add_run(BallBackground& scene, const BlobRun& run, int x0, int y0, BlobSums& sums);

/// A blob as an ellipse: centre, and the axes of its weighted second moments [px^2].
struct BlobEllipse {
    double x, y;
    double major, minor;      ///< variances along the axes
    double along_x, along_y;  ///< direction of the major axis
};
BlobEllipse ellipse_of(const BlobSums& sums, int x0, int y0);

/// 1 for a disc, less the further pixels lie from the centre for so many of them.
double compactness(const BlobSums& sums);

/// How far the blob has moved since the frame before, at least [px]: from the change of its edge.
/// 0 where noise explains it.
double motion_px(const BlobSums& sums);

/// Whether the background has an outline here and the image has none: something was learnt as
/// background, and has left.
bool is_hole(const BlobSums& sums);

}  // namespace trackcore
