// How a pattern may move: six models, all handled as parts of one Jacobian.
//
// Positions u, v inside a pattern are counted from its middle in half patterns, -1 .. 1. The
// parameters of every model are then pixels: how far the pattern moves, or its edge.
#pragma once

#include "core/types.hpp"

namespace trackcore {

inline constexpr int max_model_parameters = 8;

int parameters(MotionModel model);

/// Columns of the kernels' Jacobian (simd/region.hpp) that the model needs: 2, 6 or 8.
int jacobian_columns(MotionModel model);

/// Products with the kernels' columns -> products with the model's.
void project(MotionModel model, const float* columns, double* out);

/// The motion that parameters describe; `half` is half a pattern [px].
Mat3 motion(MotionModel model, const double* p, double half);

/// The farthest that the first `n` parameters can move a corner of the pattern [px].
double corner_movement(const double* p, int n);

/// Whether a warp from (u, v) to pixels keeps orientation all over the pattern, and scales by 1/8
/// to 8.
bool plausible(const Mat3& warp, double half);

// Homographies. Inline: they are part of every iteration.

/// The warp that moves one point to another and changes nothing else.
inline Mat3 translation(Vec2 from_px, Vec2 to_px) {
    return {{1, 0, to_px.x - from_px.x, 0, 1, to_px.y - from_px.y, 0, 0, 1}};
}

/// Where a warp takes a point.
inline Vec2 apply(const Mat3& warp, Vec2 p) {
    const double* m = warp.m;
    const double scale = 1.0 / (m[6] * p.x + m[7] * p.y + m[8]);
    return {(m[0] * p.x + m[1] * p.y + m[2]) * scale, (m[3] * p.x + m[4] * p.y + m[5]) * scale};
}

/// a after b.
inline Mat3 product(const Mat3& a, const Mat3& b) {
    Mat3 out;
    for (int r = 0; r < 3; ++r)
        for (int c = 0; c < 3; ++c)
            out.m[3 * r + c] =
                a.m[3 * r] * b.m[c] + a.m[3 * r + 1] * b.m[3 + c] + a.m[3 * r + 2] * b.m[6 + c];
    return out;
}

/// The inverse, up to scale.
inline Mat3 inverse(const Mat3& a) {
    const double* m = a.m;
    return {{m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
             m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
             m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]}};
}

/// The same homography with m[8] = 1; not finite where that is 0.
inline Mat3 normalised(const Mat3& a) {
    const double scale = 1.0 / a.m[8];
    Mat3 out;
    for (int i = 0; i < 8; ++i) out.m[i] = a.m[i] * scale;
    return out;
}

}  // namespace trackcore
