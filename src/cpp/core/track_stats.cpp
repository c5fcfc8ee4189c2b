#include "core/track_stats.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "core/simd/track_stats.hpp"
#include "core/threads.hpp"

TRACKCORE_DEFINE_KERNELS(TrackStatsKernels, track_stats_kernels)

namespace trackcore {
namespace {

using simd::TrackSums;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr int block_tracks = 128;  // part of the result's definition: sums are made block by block
constexpr std::int64_t lanes = simd::stats_lanes;

std::size_t rounded_up(std::int64_t n) {
    return static_cast<std::size_t>((n + lanes - 1) / lanes * lanes);
}

/// What the kernel asks about the clip's frames, the same for all tracks.
class Clip {
  public:
    Clip(const TrackView& tracks, double still_px, std::span<const double, 4> edges_px)
        : per_frame_(rounded_up(tracks.n_frames), 1.0),
          middle_(per_frame_.size()),
          even_(per_frame_.size()),
          steps_{per_frame_.data(), middle_.data(), even_.data(), still_px, {}} {
        const std::int64_t* frames = tracks.frames;
        for (std::int64_t i = 1; i < tracks.n_frames; ++i) {
            const auto at = static_cast<std::size_t>(i);
            const std::int64_t elapsed = frames[i] - frames[i - 1];
            per_frame_[at] = 1.0 / static_cast<double>(elapsed);
            middle_[at] = static_cast<double>(frames[i] + frames[i - 1]);
            even_[at] = i >= 3 && frames[i - 1] - frames[i - 2] == elapsed &&
                        frames[i - 2] - frames[i - 3] == elapsed;
        }
        std::copy(edges_px.begin(), edges_px.end(), steps_.edges_px);
    }

    const simd::ClipSteps& steps() const { return steps_; }

  private:
    std::vector<double> per_frame_, middle_, even_;
    simd::ClipSteps steps_;
};

/// Steps over gaps count for the track, at the speed they took, and for no frame.
void add_gaps(const TrackView& tracks, std::int64_t k, std::int64_t first, std::int64_t last,
              TrackSums& sums) {
    const Vec2* xy = tracks.track(k);
    const std::int64_t* frames = tracks.frames;
    std::int64_t previous = first;
    for (std::int64_t i = first + 1; i <= last; ++i) {
        if (std::isnan(xy[i].x)) continue;
        if (previous + 1 < i) {
            const double dx = xy[i].x - xy[previous].x, dy = xy[i].y - xy[previous].y;
            const double length = std::sqrt(dx * dx + dy * dy);
            const double speed = length / static_cast<double>(frames[i] - frames[previous]);
            // The middle of the step, in half frames since the first sample: exact.
            const auto t = static_cast<double>(frames[i] + frames[previous] - 2 * frames[first]);
            sums.steps += 1.0;
            sums.path += length;
            sums.speed += speed;
            sums.speed2 += speed * speed;
            sums.t += t;
            sums.t2 += t * t;
            sums.ts += t * speed;
        }
        previous = i;
    }
}

void finish(const TrackSums& s, std::int64_t first, std::int64_t last, TrackRow& out) {
    const double n = s.samples, steps = s.steps;
    out.first = static_cast<double>(first);
    out.last = static_cast<double>(last);
    out.n_samples = n;
    out.mean_px = n > 0.0 ? Vec2{s.x / n, s.y / n} : Vec2{nan, nan};
    out.path_px = n > 0.0 ? s.path : nan;
    out.speed_mean = steps > 0.0 ? s.speed / steps : nan;
    const double variance = s.speed2 / steps - out.speed_mean * out.speed_mean;
    // What cancels to less than the rounding of its parts is 0: a constant speed.
    const bool constant = variance <= 1e-14 * s.speed2 / steps;
    out.speed_std = steps > 0.0 ? (constant ? 0.0 : std::sqrt(variance)) : nan;
    out.jitter_px = s.windows > 0.0 ? std::sqrt(s.third2 / (40.0 * s.windows)) : nan;
    const double tt = (s.t2 - s.t * s.t / steps) / 4.0;  // half frames to frames
    const double ts = (s.ts - s.t * s.speed / steps) / 2.0;
    out.speed_slope = steps >= 2.0 ? ts / tt : nan;
    out.slope_weight = steps >= 2.0 ? tt : 0.0;
    out.ncc_mean = s.nccs > 0.0 ? s.ncc / s.nccs : nan;
}

/// Adds what the kernel counted; see `TrackSums` for its questions.
void add_counts(const TrackSums& sums, FlowHistograms& histograms) {
    constexpr int bins[2][4] = {{4, 3, 7, 0},
                                {5, 2, 6, 1}};  // flat, steep: neither, down, left, both
    for (int steep = 0; steep < 2; ++steep) {
        double of[4];
        for (int k = 0; k < 4; ++k)
            of[k] = steep ? sums.moves[4 + k] : sums.moves[k] - sums.moves[4 + k];
        const double only[4] = {of[0] - of[1] - of[2] + of[3], of[1] - of[3], of[2] - of[3], of[3]};
        for (int k = 0; k < 4; ++k)
            histograms.direction[bins[steep][k]] += static_cast<std::int64_t>(only[k]);
    }
    double longer = sums.steps;
    for (int bin = 0; bin < 5; ++bin) {
        const double next = bin < 4 ? sums.faster[bin] : 0.0;
        histograms.magnitude[bin] += static_cast<std::int64_t>(longer - next);
        longer = next;
    }
}

class Block {
  public:
    Block(const TrackView& tracks, const Clip& clip)
        : tracks_(tracks),
          clip_(clip),
          n_(rounded_up(tracks.n_frames)),
          sums_(8 * n_),
          x_(n_ + lanes),
          y_(n_ + lanes),
          ncc_(n_ + lanes) {}

    void add(std::int64_t k, TrackRow& out) {
        const Vec2* xy = tracks_.track(k);
        std::int64_t first = 0, last = tracks_.n_frames - 1;
        while (first <= last && std::isnan(xy[first].x)) ++first;
        while (last >= first && std::isnan(xy[last].x)) --last;
        TrackSums sums{};
        if (first > last) return finish(sums, -1, -1, out);
        add_steps(k, first, last, sums);
        add_counts(sums, histograms);
        if (sums.samples < static_cast<double>(last - first + 1))
            add_gaps(tracks_, k, first, last, sums);
        finish(sums, first, last, out);
    }

    void add_to(FrameRow* rows) {
        const simd::FrameSums s = frame_sums();
        for (std::int64_t i = 0; i < tracks_.n_frames; ++i) {
            FrameRow& row = rows[i];
            row.active += s.active[i];
            row.steps += s.steps[i];
            row.sum.x += s.x[i];
            row.sum.y += s.y[i];
            row.speed += s.speed[i];
            row.moving += s.moving[i];
            row.direction.x += s.direction_x[i];
            row.direction.y += s.direction_y[i];
        }
    }

    FlowHistograms histograms;

  private:
    simd::FrameSums frame_sums() {
        double* s = sums_.data();
        return {s, s + n_, s + 2 * n_, s + 3 * n_, s + 4 * n_, s + 5 * n_, s + 6 * n_, s + 7 * n_};
    }

    /// The track's samples, and its steps between neighbouring frames.
    void add_steps(std::int64_t k, std::int64_t first, std::int64_t last, TrackSums& sums) {
        const Vec2* xy = tracks_.track(k);
        const float* ncc = tracks_.ncc + k * tracks_.n_frames;
        const std::int64_t begin = first / lanes * lanes;
        const auto end = static_cast<std::int64_t>(rounded_up(last + 1));
        const auto spread = [&](auto& buffer, const auto& value) {
            auto* to = buffer.data() + lanes;  // room for what is before the first
            std::fill(to + begin - lanes, to + first, nan);
            for (std::int64_t i = first; i <= last; ++i) to[i] = value(i);
            std::fill(to + last + 1, to + end, nan);
            return to;
        };
        const auto* x = spread(x_, [&](std::int64_t i) { return xy[i].x; });
        const auto* y = spread(y_, [&](std::int64_t i) { return xy[i].y; });
        const auto* quality = spread(ncc_, [&](std::int64_t i) { return ncc[i]; });
        const auto start = static_cast<double>(2 * tracks_.frames[first]);
        simd::track_stats_kernels().add_track({x, y, quality, begin, end, start}, clip_.steps(),
                                              frame_sums(), sums);
    }

    const TrackView& tracks_;
    const Clip& clip_;
    std::size_t n_;
    std::vector<double> sums_, x_, y_;
    std::vector<float> ncc_;
};

}  // namespace

void track_stats(const TrackView& tracks, double still_px, std::span<const double, 4> edges_px,
                 int threads, TrackRow* tracks_out, FrameRow* frames_out,
                 FlowHistograms& histograms) {
    const auto n_blocks = static_cast<int>((tracks.n_tracks + block_tracks - 1) / block_tracks);
    const Clip clip(tracks, still_px, edges_px);
    std::vector<std::unique_ptr<Block>> blocks(static_cast<std::size_t>(n_blocks));
    parallel_for(n_blocks, 1, threads, [&](int begin, int end) {
        for (int b = begin; b < end; ++b) {
            auto block = std::make_unique<Block>(tracks, clip);
            const std::int64_t stop =
                std::min<std::int64_t>((b + 1) * std::int64_t{block_tracks}, tracks.n_tracks);
            for (std::int64_t k = b * std::int64_t{block_tracks}; k < stop; ++k)
                block->add(k, tracks_out[k]);
            blocks[static_cast<std::size_t>(b)] = std::move(block);
        }
    });
    std::fill_n(frames_out, tracks.n_frames, FrameRow{});
    histograms = {};
    for (const auto& block : blocks) {
        block->add_to(frames_out);
        for (int bin = 0; bin < 8; ++bin)
            histograms.direction[bin] += block->histograms.direction[bin];
        for (int bin = 0; bin < 5; ++bin)
            histograms.magnitude[bin] += block->histograms.magnitude[bin];
    }
}

}  // namespace trackcore
