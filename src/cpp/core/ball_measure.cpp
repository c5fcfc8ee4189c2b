#include "core/ball_measure.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace trackcore {
namespace {

constexpr double change_per_px = 1.4;  // (change of a disc's pixels) / (contrast^2 radius step^2)
constexpr double sure = 4.0;           // standard deviations
constexpr double faint_edge = 0.35;    // of the contrast: less is no outline of a ball
constexpr double hole_ratio = 2.0;

}  // namespace

void BlobSums::add(const BlobSums& o) {
    area += o.area, x += o.x, y += o.y, squares += o.squares;
    weight += o.weight, wx += o.wx, wy += o.wy, wxx += o.wxx, wxy += o.wxy, wyy += o.wyy;
    contrast += o.contrast, change += o.change, variance += o.variance;
    edge_now += o.edge_now, edge_base += o.edge_base;
}

void add_run(BallBackground& scene, const BlobRun& run, int x0, int y0, BlobSums& sums) {
    const std::uint8_t* now = scene.now(run.y);
    const std::uint8_t *high = scene.high(run.y), *low = scene.low(run.y);
    const int last = scene.width() - 1;
    const double y = run.y - y0;
    std::int64_t w = 0, wx = 0, wxx = 0, change = 0;
    const std::uint8_t* before = nullptr;
    for (int x = run.x0; x < run.x1; ++x) {
        if (x == run.x0 || x % simd::ball_block == 0)
            before = scene.before(run.y, x / simd::ball_block);
        const int difference = std::abs((now[x] << 8 | 0x80) - (high[x] << 8 | low[x]));
        const int dt = now[x] - before[x];
        const std::int64_t at = x - x0, moment = at * difference;
        w += difference, wx += moment, wxx += at * moment;
        change += dt * dt;
    }
    constexpr double unit = 1.0 / 256.0;
    const double weight = static_cast<double>(w) * unit, moment = static_cast<double>(wx) * unit;
    sums.weight += weight;
    sums.wx += moment;
    sums.wxx += static_cast<double>(wxx) * unit;
    sums.wy += weight * y;
    sums.wyy += weight * y * y;
    sums.wxy += moment * y;
    sums.contrast += run.over ? weight : -weight;
    sums.change += static_cast<double>(change);
    const double n = run.x1 - run.x0, a = run.x0 - x0, b = run.x1 - 1 - x0;
    sums.area += n;
    sums.x += n * (a + b) / 2;
    sums.y += n * y;
    sums.squares += n * (y * y + (a * a + a * b + b * b) / 3 + (b - a) / 6);
    const double sigma = scene.sigma(run.x0, run.y);
    sums.variance += n * sigma * sigma;
    const auto at = [last](int x) { return std::clamp(x, 0, last); };
    const auto steps = [&](const std::uint8_t* row) {
        return std::abs(row[at(run.x0 + 1)] - row[at(run.x0 - 2)]) +
               std::abs(row[at(run.x1 - 2)] - row[at(run.x1 + 1)]);
    };
    sums.edge_now += steps(now);
    sums.edge_base += steps(high);
}

BlobEllipse ellipse_of(const BlobSums& s, int x0, int y0) {
    const double mx = s.wx / s.weight, my = s.wy / s.weight;
    const double xx = std::max(s.wxx / s.weight - mx * mx, 0.0);
    const double yy = std::max(s.wyy / s.weight - my * my, 0.0);
    const double xy = s.wxy / s.weight - mx * my;
    const double half_sum = (xx + yy) / 2, half_difference = (xx - yy) / 2;
    const double spread = std::hypot(half_difference, xy);
    const double angle = 0.5 * std::atan2(xy, half_difference);
    return {mx + x0,         my + y0,        half_sum + spread, std::max(half_sum - spread, 0.0),
            std::cos(angle), std::sin(angle)};
}

double compactness(const BlobSums& s) {
    const double mx = s.x / s.area, my = s.y / s.area;
    const double spread = s.squares - s.area * (mx * mx + my * my) + s.area / 6;  // of whole pixels
    return std::min(s.area * s.area / (2 * std::numbers::pi * spread), 1.0);
}

double motion_px(const BlobSums& s) {
    const double chance = 2 * s.variance + s.area / 6;  // two frames' noise and rounding
    const double excess = s.change - chance;
    if (excess <= sure * chance * std::sqrt(2.0 / s.area)) return 0.0;
    const double contrast = s.weight / s.area, radius = std::sqrt(s.area / std::numbers::pi);
    return std::sqrt(excess / (change_per_px * contrast * contrast * radius));
}

bool is_hole(const BlobSums& s) {
    // ends of runs: two a row, each with a step of about the contrast where there is an outline
    const double rows = 2 * std::sqrt(s.area / std::numbers::pi);
    const double outline = 2 * rows * (s.weight / s.area);
    return s.edge_now < faint_edge * outline && s.edge_base > hole_ratio * s.edge_now &&
           s.edge_base > faint_edge * outline;
}

}  // namespace trackcore
