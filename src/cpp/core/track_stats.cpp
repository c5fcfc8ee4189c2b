#include "core/track_stats.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/threads.hpp"

namespace trackcore {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr int block_tracks = 128;  // part of the result's definition: sums are made block by block

/// Sums over one track.
struct TrackSums {
    double x = 0, y = 0, path = 0;
    double speed = 0, speed2 = 0, last_speed = 0, t = 0, t2 = 0, ts = 0;
    double third2 = 0, ncc = 0;
    std::int64_t samples = 0, steps = 0, windows = 0, nccs = 0;
};

/// Octant of a direction, y down as the picture has it, as in `FlowHistograms`. Without branches:
/// no predictor guesses where tracks go.
int direction_bin(double dx, double dy_down) {
    const double dy = -dy_down;
    if (dy == 0.0) return dx < 0.0 ? 0 : 4;  // -180 and 180 degrees are one direction
    const double ax = std::abs(dx), ay = std::abs(dy);
    const int below = dy < 0.0, left = below ? dx < 0.0 : dx <= 0.0;
    // The lower edge of a bin belongs to it: 45 and -135 degrees are steep, 135 and -45 are not.
    const int steep = (ay > ax) | ((ay == ax) & (below == left));
    constexpr std::int8_t bins[2][2][2] = {{{4, 5}, {7, 6}}, {{3, 2}, {0, 1}}};
    return bins[below][left][steep];
}

/// Third difference of four equally spaced samples, squared and summed over both axes.
double third_difference2(const Vec2* p) {
    const double x = (p[3].x - p[0].x) - 3.0 * (p[2].x - p[1].x);
    const double y = (p[3].y - p[0].y) - 3.0 * (p[2].y - p[1].y);
    return x * x + y * y;
}

class Block {
  public:
    Block(const TrackView& tracks, double still_px, std::span<const double, 4> edges_px)
        : tracks_(tracks), still_px_(still_px), edges_px_(edges_px) {}

    void add(std::int64_t k, FrameRow* rows, TrackRow& out) {
        const Vec2* xy = tracks_.track(k);
        const float* ncc = tracks_.ncc + k * tracks_.n_frames;
        TrackSums sums;
        std::int64_t previous = -1, first = -1, space = 0;
        int run = 0;  // how many samples up to here are neighbours and equally spaced, at most 4
        for (std::int64_t i = 0; i < tracks_.n_frames; ++i) {
            if (std::isnan(xy[i].x)) continue;
            sums.x += xy[i].x;
            sums.y += xy[i].y;
            ++sums.samples;
            if (!std::isnan(ncc[i])) {
                sums.ncc += ncc[i];
                ++sums.nccs;
            }
            rows[i].active += 1.0;
            if (previous < 0) {
                first = i;
                run = 1;
            } else {
                const std::int64_t elapsed = tracks_.frames[i] - tracks_.frames[previous];
                const bool neighbour = previous + 1 == i;
                step(xy[previous], xy[i], elapsed, neighbour ? &rows[i] : nullptr, sums);
                // The middle of the step, in half frames since the first sample: exact.
                const double t = static_cast<double>(tracks_.frames[i] + tracks_.frames[previous] -
                                                     2 * tracks_.frames[first]);
                sums.t += t;
                sums.t2 += t * t;
                run = !neighbour ? 1 : run < 2 || elapsed == space ? std::min(run + 1, 4) : 2;
                sums.ts += t * sums.last_speed;
                space = elapsed;
            }
            if (run == 4) {
                sums.third2 += third_difference2(xy + i - 3);
                ++sums.windows;
            }
            previous = i;
        }
        finish(sums, first, previous, out);
    }

    FlowHistograms histograms;

  private:
    void step(Vec2 from, Vec2 to, std::int64_t elapsed, FrameRow* row, TrackSums& sums) {
        const double dx = to.x - from.x, dy = to.y - from.y;
        const double per_frame = elapsed == 1 ? 1.0 : 1.0 / static_cast<double>(elapsed);
        const double length = std::sqrt(dx * dx + dy * dy);
        const double speed = length * per_frame;
        sums.path += length;
        sums.speed += speed;
        sums.speed2 += speed * speed;
        sums.last_speed = speed;
        ++sums.steps;
        if (row == nullptr) return;
        // Without branches: a slow track is now above and now below what counts as still.
        const bool moves = speed >= still_px_ && length > 0.0;
        const double unit = moves ? 1.0 / length : 0.0;
        row->steps += 1.0;
        row->sum.x += dx * per_frame;
        row->sum.y += dy * per_frame;
        row->speed += speed;
        row->moving += moves;
        row->direction.x += dx * unit;
        row->direction.y += dy * unit;
        histograms.direction[direction_bin(dx, dy)] += moves;
        int bin = 0;
        for (const double edge : edges_px_) bin += speed > edge;
        ++histograms.magnitude[bin];
    }

    static void finish(const TrackSums& s, std::int64_t first, std::int64_t last, TrackRow& out) {
        const double n = static_cast<double>(s.samples), steps = static_cast<double>(s.steps);
        out.first = static_cast<double>(first);
        out.last = static_cast<double>(last);
        out.n_samples = n;
        out.mean_px = s.samples ? Vec2{s.x / n, s.y / n} : Vec2{nan, nan};
        out.path_px = s.samples ? s.path : nan;
        out.speed_mean = s.steps ? s.speed / steps : nan;
        const double variance = s.speed2 / steps - out.speed_mean * out.speed_mean;
        // What cancels to less than the rounding of its parts is 0: a constant speed.
        const bool constant = variance <= 1e-14 * s.speed2 / steps;
        out.speed_std = s.steps ? (constant ? 0.0 : std::sqrt(variance)) : nan;
        out.jitter_px =
            s.windows ? std::sqrt(s.third2 / (40.0 * static_cast<double>(s.windows))) : nan;
        const double tt = (s.t2 - s.t * s.t / steps) / 4.0;  // half frames to frames
        const double ts = (s.ts - s.t * s.speed / steps) / 2.0;
        out.speed_slope = s.steps >= 2 ? ts / tt : nan;
        out.slope_weight = s.steps >= 2 ? tt : 0.0;
        out.ncc_mean = s.nccs ? s.ncc / static_cast<double>(s.nccs) : nan;
    }

    const TrackView& tracks_;
    double still_px_;
    std::span<const double, 4> edges_px_;
};

void add(const FrameRow& from, FrameRow& to) {
    to.active += from.active;
    to.steps += from.steps;
    to.sum.x += from.sum.x;
    to.sum.y += from.sum.y;
    to.speed += from.speed;
    to.moving += from.moving;
    to.direction.x += from.direction.x;
    to.direction.y += from.direction.y;
}

}  // namespace

void track_stats(const TrackView& tracks, double still_px, std::span<const double, 4> edges_px,
                 int threads, TrackRow* tracks_out, FrameRow* frames_out,
                 FlowHistograms& histograms) {
    const auto n_blocks = static_cast<int>((tracks.n_tracks + block_tracks - 1) / block_tracks);
    const auto n_frames = static_cast<std::size_t>(tracks.n_frames);
    std::vector<FrameRow> rows(n_frames * static_cast<std::size_t>(n_blocks));
    std::vector<FlowHistograms> counts(static_cast<std::size_t>(n_blocks));
    parallel_for(n_blocks, 1, threads, [&](int begin, int end) {
        for (int b = begin; b < end; ++b) {
            Block block(tracks, still_px, edges_px);
            const std::int64_t stop =
                std::min<std::int64_t>((b + 1) * std::int64_t{block_tracks}, tracks.n_tracks);
            for (std::int64_t k = b * std::int64_t{block_tracks}; k < stop; ++k)
                block.add(k, rows.data() + static_cast<std::size_t>(b) * n_frames, tracks_out[k]);
            counts[static_cast<std::size_t>(b)] = block.histograms;
        }
    });
    std::fill_n(frames_out, n_frames, FrameRow{});
    histograms = {};
    for (std::size_t b = 0; b < counts.size(); ++b) {
        for (std::size_t i = 0; i < n_frames; ++i) add(rows[b * n_frames + i], frames_out[i]);
        for (int bin = 0; bin < 8; ++bin) histograms.direction[bin] += counts[b].direction[bin];
        for (int bin = 0; bin < 5; ++bin) histograms.magnitude[bin] += counts[b].magnitude[bin];
    }
}

}  // namespace trackcore
