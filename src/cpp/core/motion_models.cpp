#include "core/motion_models.hpp"

#include <algorithm>
#include <cmath>

namespace trackcore {
namespace {

constexpr double largest_scale = 8.0;  // and smallest, inverted

/// Whether the 2 x 2 matrix [a b; c d] keeps orientation and its singular values are in range.
bool scales_within_reason(double a, double b, double c, double d) {
    const double det = a * d - b * c, square = a * a + b * b + c * c + d * d;
    // Singular values s, t: det = s t, square = s^2 + t^2.
    const double root = std::sqrt(std::max(square * square - 4.0 * det * det, 0.0));
    const double most = 0.5 * (square + root), least = 0.5 * (square - root);
    constexpr double limit = largest_scale * largest_scale;
    return det > 0.0 && most <= limit && least * limit >= 1.0;
}

}  // namespace

int parameters(MotionModel model) {
    constexpr int n[] = {2, 3, 3, 4, 6, 8};
    return n[static_cast<int>(model)];
}

int jacobian_columns(MotionModel model) {
    return model == MotionModel::loc ? 2 : model == MotionModel::perspective ? 8 : 6;
}

void project(MotionModel model, const float* j, double* out) {
    out[0] = j[0], out[1] = j[1];
    switch (model) {
        case MotionModel::loc:
            return;
        case MotionModel::loc_rot:
            out[2] = j[4] - j[3];
            return;
        case MotionModel::loc_scale:
            out[2] = j[2] + j[5];
            return;
        case MotionModel::loc_rot_scale:
            out[2] = j[2] + j[5], out[3] = j[4] - j[3];
            return;
        case MotionModel::affine:
            std::copy_n(j + 2, 4, out + 2);
            return;
        case MotionModel::perspective:
            std::copy_n(j + 2, 6, out + 2);
            return;
    }
}

Mat3 motion(MotionModel model, const double* p, double half) {
    Mat3 m{{1, 0, p[0] / half, 0, 1, p[1] / half, 0, 0, 1}};
    switch (model) {
        case MotionModel::loc:
            break;
        case MotionModel::loc_rot:
            m.m[0] = m.m[4] = std::cos(p[2] / half);
            m.m[3] = std::sin(p[2] / half);
            m.m[1] = -m.m[3];
            break;
        case MotionModel::loc_scale:
            m.m[0] = m.m[4] = 1.0 + p[2] / half;
            break;
        case MotionModel::loc_rot_scale:
            m.m[0] = m.m[4] = 1.0 + p[2] / half;
            m.m[3] = p[3] / half;
            m.m[1] = -m.m[3];
            break;
        case MotionModel::perspective:
            m.m[6] = -p[6] / half, m.m[7] = -p[7] / half;
            [[fallthrough]];
        case MotionModel::affine:
            m.m[0] += p[2] / half, m.m[1] = p[3] / half;
            m.m[3] = p[4] / half, m.m[4] += p[5] / half;
            break;
    }
    return m;
}

double corner_movement(const double* p, int n) {
    double x = std::abs(p[0]), y = std::abs(p[1]), both = 0.0;
    if (n == 3 || n == 4) both = std::abs(p[2]) + (n == 4 ? std::abs(p[3]) : 0.0);
    if (n >= 6) x += std::abs(p[2]) + std::abs(p[3]), y += std::abs(p[4]) + std::abs(p[5]);
    if (n == 8) both = std::abs(p[6]) + std::abs(p[7]);
    x += both, y += both;
    return std::sqrt(x * x + y * y);
}

bool plausible(const Mat3& warp, double half) {
    const double* m = warp.m;
    for (const Vec2 at : {Vec2{0, 0}, Vec2{-1, -1}, Vec2{1, -1}, Vec2{-1, 1}, Vec2{1, 1}}) {
        const double w = m[6] * at.x + m[7] * at.y + m[8];
        if (!(w > 0.1)) return false;
        const Vec2 p = apply(warp, at);
        const double unit = 1.0 / (w * half);
        if (!scales_within_reason((m[0] - p.x * m[6]) * unit, (m[1] - p.x * m[7]) * unit,
                                  (m[3] - p.y * m[6]) * unit, (m[4] - p.y * m[7]) * unit))
            return false;
        if (m[6] == 0.0 && m[7] == 0.0) break;  // the same everywhere
    }
    return true;
}

}  // namespace trackcore
