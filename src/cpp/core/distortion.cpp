#include "core/distortion.hpp"

#include <cmath>
#include <limits>

#include "core/types.hpp"

namespace trackcore {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr Vec2 nowhere{nan, nan};
constexpr int most_steps = 50;
// Of the distance to the axis or of 1, whichever is more: rounding errors of the model.
constexpr double settled = 4e-15, solved = 1e-13;

/// Where the lens puts (x, y), and the derivatives of that.
struct Bent {
    double x, y, xx, xy, yx, yy;
};

Bent bend(const Lens& l, Vec2 at) {
    const double x = at.x, y = at.y, r2 = x * x + y * y;
    const double over = 1.0 + r2 * (l.k1 + r2 * (l.k2 + r2 * l.k3));
    const double under = 1.0 + r2 * (l.k4 + r2 * (l.k5 + r2 * l.k6));
    const double scale = over / under;
    const double over_slope = l.k1 + r2 * (2.0 * l.k2 + r2 * 3.0 * l.k3);
    const double under_slope = l.k4 + r2 * (2.0 * l.k5 + r2 * 3.0 * l.k6);
    const double slope = 2.0 * (over_slope - scale * under_slope) / under;  // of scale, by r2 / 2
    const double cross = x * y * slope + 2.0 * (l.p1 * x + l.p2 * y);
    return {x * scale + 2.0 * l.p1 * x * y + l.p2 * (r2 + 2.0 * x * x),
            y * scale + l.p1 * (r2 + 2.0 * y * y) + 2.0 * l.p2 * x * y,
            scale + x * x * slope + 2.0 * l.p1 * y + 6.0 * l.p2 * x,
            cross,
            cross,
            scale + y * y * slope + 6.0 * l.p1 * y + 2.0 * l.p2 * x};
}

bool before_the_fold(const Lens& l, Vec2 at, const Bent& b) {
    return at.x * at.x + at.y * at.y < l.most_r2 && b.xx * b.yy - b.xy * b.yx > 0.0;
}

Vec2 straighten(const Lens& l, Vec2 seen) {
    Vec2 at = seen;
    const double size = std::fmax(1.0, std::fmax(std::abs(seen.x), std::abs(seen.y)));
    for (int step = 0; step < most_steps; ++step) {
        const Bent b = bend(l, at);
        const double rx = b.x - seen.x, ry = b.y - seen.y;
        const double inverse = 1.0 / (b.xx * b.yy - b.xy * b.yx);
        const double dx = (b.yy * rx - b.xy * ry) * inverse;
        const double dy = (b.xx * ry - b.yx * rx) * inverse;
        at = {at.x - dx, at.y - dy};
        if (!finite(at)) return nowhere;
        if (std::abs(dx) + std::abs(dy) <= settled * size) break;
    }
    const Bent b = bend(l, at);
    const double off = std::abs(b.x - seen.x) + std::abs(b.y - seen.y);
    return off <= solved * size && before_the_fold(l, at, b) ? at : nowhere;
}

Vec2 to_plane(const Lens& l, const double* uv) {
    const double y = (uv[1] - l.cy) / l.fy;
    return {(uv[0] - l.cx - l.skew * y) / l.fx, y};
}

void to_pixels(const Lens& l, Vec2 at, double* uv) {
    uv[0] = l.fx * at.x + l.skew * at.y + l.cx;
    uv[1] = l.fy * at.y + l.cy;
}

}  // namespace

void distort(const Lens& lens, const double* uv_px, std::ptrdiff_t n, double* out_px) {
    for (std::ptrdiff_t i = 0; i < n; ++i) {
        const Vec2 at = to_plane(lens, uv_px + 2 * i);
        const Bent b = bend(lens, at);
        to_pixels(lens, before_the_fold(lens, at, b) ? Vec2{b.x, b.y} : nowhere, out_px + 2 * i);
    }
}

void undistort(const Lens& lens, const double* uv_px, std::ptrdiff_t n, double* out_px) {
    for (std::ptrdiff_t i = 0; i < n; ++i)
        to_pixels(lens, straighten(lens, to_plane(lens, uv_px + 2 * i)), out_px + 2 * i);
}

}  // namespace trackcore
