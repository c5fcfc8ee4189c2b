#include "core/simd/track_stats.hpp"

#include "core/simd/wide.hpp"

namespace {

using trackcore::simd::ClipSteps;
using trackcore::simd::FrameSums;
using trackcore::simd::stats_lanes;
using trackcore::simd::TrackSamples;
using trackcore::simd::TrackSums;
static_assert(stats_lanes == wide_lanes);

inline void raise(double* to, const Wide& by) { store(load(to) + by, to); }
inline Wide known_or_zero(const Wide& a) { return pick_known(a, a, all(0.0)); }

struct SampleSums {
    Wide samples = all(0.0), x = samples, y = samples, nccs = samples, ncc = samples;

    void add(const TrackSamples& track, std::ptrdiff_t i, const FrameSums& frames) {
        const Wide x_px = load(track.x + i);
        const double four[] = {track.ncc[i], track.ncc[i + 1], track.ncc[i + 2], track.ncc[i + 3]};
        const Wide seen = pick_known(x_px, all(1.0), all(0.0));
        const Wide quality = pick_known(x_px, load(four), x_px);
        samples = samples + seen;
        x = x + known_or_zero(x_px);
        y = y + known_or_zero(load(track.y + i));
        nccs = nccs + pick_known(quality, all(1.0), all(0.0));
        ncc = ncc + known_or_zero(quality);
        raise(frames.active + i, seen);
    }
};

/// Four steps. Where there is none everything is 0.
struct Steps {
    Wide taken, dx, dy, length, speed, moves;

    Steps(const TrackSamples& track, std::ptrdiff_t i, const ClipSteps& clip) {
        const Wide across = load(track.x + i) - load(track.x + i - 1);
        taken = pick_known(across, all(1.0), all(0.0));
        dx = known_or_zero(across);
        dy = known_or_zero(load(track.y + i) - load(track.y + i - 1));
        length = root(dx * dx + dy * dy);
        speed = length * load(clip.per_frame + i);
        const Wide has_length = pick_less(all(0.0), length, all(1.0), all(0.0));
        moves = pick_less(speed, all(clip.still_px), all(0.0), has_length);
    }

    void add_to(const FrameSums& frames, std::ptrdiff_t i, const ClipSteps& clip) const {
        const Wide per_frame = load(clip.per_frame + i);
        const Wide unit = moves / pick_less(all(0.0), length, length, all(1.0));
        raise(frames.steps + i, taken);
        raise(frames.x + i, dx * per_frame);
        raise(frames.y + i, dy * per_frame);
        raise(frames.speed + i, speed);
        raise(frames.moving + i, moves);
        raise(frames.direction_x + i, dx * unit);
        raise(frames.direction_y + i, dy * unit);
    }
};

struct StepSums {
    Wide steps = all(0.0), path = steps, speed = steps, speed2 = steps;
    Wide t = steps, t2 = steps, ts = steps;
    Wide faster[4] = {steps, steps, steps, steps};

    void add(const Steps& step, const Wide& middle, const ClipSteps& clip) {
        const Wide at = middle * step.taken;
        steps = steps + step.taken;
        path = path + step.length;
        speed = speed + step.speed;
        speed2 = speed2 + step.speed * step.speed;
        t = t + at;
        t2 = t2 + at * at;
        ts = ts + at * step.speed;
        for (int k = 0; k < 4; ++k) {
            const Wide edge = all(clip.edges_px[k]);
            faster[k] = faster[k] + pick_less(edge, step.speed, step.taken, all(0.0));
        }
    }
};

/// Octants by three questions, y down as the picture has it; the lower edge of one belongs to it.
struct DirectionSums {
    Wide moves[8];

    DirectionSums() {
        for (Wide& m : moves) m = all(0.0);
    }

    void add(const Steps& step) {
        const Wide none = all(0.0), one = all(1.0);
        const Wide ax = absolute(step.dx), ay = absolute(step.dy);
        const Wide level = pick_less(step.dx, none, one, none);  // -180 degrees, or 0
        const Wide down = pick_less(none, step.dy, one, pick_less(step.dy, none, none, level));
        const Wide left = pick_less(step.dx, none, one, pick_less(none, step.dx, none, one - down));
        // 45 and -135 degrees are steep, 135 and -45 are not.
        const Wide differ = absolute(down - left);
        const Wide steep = pick_less(ax, ay, one, pick_less(ay, ax, none, one - differ));
        const Wide of[] = {step.moves, step.moves * down, step.moves * left,
                           step.moves * down * left};
        for (int k = 0; k < 4; ++k) {
            moves[k] = moves[k] + of[k];
            moves[4 + k] = moves[4 + k] + of[k] * steep;
        }
    }
};

struct WindowSums {
    Wide windows = all(0.0), third2 = windows;

    /// Of the four values up to p.
    static Wide third_difference(const double* p) {
        return (load(p) - load(p - 3)) - all(3.0) * (load(p - 1) - load(p - 2));
    }

    void add(const TrackSamples& track, std::ptrdiff_t i, const ClipSteps& clip) {
        const Wide x = third_difference(track.x + i), y = third_difference(track.y + i);
        const Wide even = pick_known(x, load(clip.even + i), all(0.0));
        windows = windows + even;
        third2 = third2 + known_or_zero(x * x + y * y) * even;
    }
};

void add_track(const TrackSamples& track, const ClipSteps& clip, const FrameSums& frames,
               TrackSums& sums) {
    SampleSums samples;
    StepSums steps;
    DirectionSums directions;
    WindowSums windows;
    for (std::ptrdiff_t i = track.begin; i < track.end; i += stats_lanes) {
        samples.add(track, i, frames);
        const Steps four(track, i, clip);
        four.add_to(frames, i, clip);
        steps.add(four, load(clip.middle + i) - all(track.start), clip);
        directions.add(four);
        windows.add(track, i, clip);
    }
    sums.samples = total(samples.samples);
    sums.x = total(samples.x);
    sums.y = total(samples.y);
    sums.nccs = total(samples.nccs);
    sums.ncc = total(samples.ncc);
    sums.steps = total(steps.steps);
    sums.path = total(steps.path);
    sums.speed = total(steps.speed);
    sums.speed2 = total(steps.speed2);
    sums.t = total(steps.t);
    sums.t2 = total(steps.t2);
    sums.ts = total(steps.ts);
    sums.windows = total(windows.windows);
    sums.third2 = total(windows.third2);
    for (int k = 0; k < 4; ++k) sums.faster[k] = total(steps.faster[k]);
    for (int k = 0; k < 8; ++k) sums.moves[k] = total(directions.moves[k]);
}

}  // namespace

namespace trackcore::simd {
const TrackStatsKernels TRACKCORE_LEVEL_TABLE(track_stats_kernels){add_track};
}  // namespace trackcore::simd
