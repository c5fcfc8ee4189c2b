#include "core/track_points.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/klt_level.hpp"
#include "core/threads.hpp"

namespace trackcore {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr int precise_steps = 4;  // 8-tap refinements at most; two are the rule
constexpr float doubtful_ncc = 0.9f;
constexpr double least_detour_px = 1.0;  // nearer, both ways end in the same place
constexpr int points_a_piece = 32;
constexpr int prefetched_levels = 2;             // the others stay in the second cache
constexpr int prev_border = 2, next_border = 7;  // pixels beyond the window needed as well
// A level above the finest only has to bring the next within reach.
// Steps are too short where contrast has fallen, so that a short one says less.
constexpr double coarse_epsilon_px = 0.1, coarse_epsilon_gain_px = 0.03;
// ... and is skipped where its weakest texture is no stronger than this [(grey levels / px)^2]:
// what aliasing and rounding leave there would lead astray.
constexpr double coarse_texture = 0.3;

KltWorkspace& workspace() {
    thread_local KltWorkspace w;
    return w;
}

/// Levels that are larger than the window; the finest always counts.
int usable_levels(const FramePyramid& prev, const FramePyramid& next, const PointOptions& options) {
    int n = std::min({options.levels, prev.levels(), next.levels()});
    while (n > 1 && std::min(prev.level(n - 1).width, prev.level(n - 1).height) <= options.window)
        --n;
    return n;
}

PointMatch unsettled(KltLevel::End end) {
    return lost_point(end == KltLevel::End::left_frame ? PointStatus::out_of_frame
                                                       : PointStatus::not_converged);
}

/// Brings `xy` within reach of the finest level.
void approach(const FramePyramid& prev, const FramePyramid& next, Vec2 from, Vec2& xy,
              const PointOptions& options) {
    const double reach_px =
        options.photometric == Photometric::gain_bias ? coarse_epsilon_gain_px : coarse_epsilon_px;
    for (int l = usable_levels(prev, next, options) - 1; l > 0; --l) {
        const double scale = 1 << l;
        KltLevel level(prev.level(l), next.level(l), options.window, options.photometric,
                       {from.x / scale, from.y / scale}, false, workspace());
        if (!level.has_texture(coarse_texture)) continue;
        Vec2 at{xy.x / scale, xy.y / scale};
        const auto end = level.refine(at, std::max(options.epsilon_px, reach_px),
                                      KltLevel::Kernel::bilinear, options.max_iterations);
        if (end == KltLevel::End::converged || end == KltLevel::End::moving)
            xy = {at.x * scale, at.y * scale};
    }
}

/// Finds where the point is in `next`, from within reach of it.
PointMatch arrive(const FramePyramid& prev, const FramePyramid& next, Vec2 from, Vec2 xy,
                  const PointOptions& options) {
    using End = KltLevel::End;
    KltLevel level(prev.level(0), next.level(0), options.window, options.photometric, from, true,
                   workspace());
    if (!(level.best_sigma_px() <= options.max_sigma_px))
        return lost_point(PointStatus::low_texture);
    End end =
        level.refine(xy, options.epsilon_px, KltLevel::Kernel::bilinear, options.max_iterations);
    // A point that still moves by less than this is good enough; the residual will tell.
    const double settled_px = std::max(10.0 * options.epsilon_px, 0.1);
    if (end == End::moving && level.last_step_px() > settled_px) end = End::diverged;
    if (end == End::left_frame || end == End::diverged) return unsettled(end);
    using Kernel = KltLevel::Kernel;
    KltQuality quality;
    if (options.precise || level.is_fine(xy)) {
        // It sees less of a window at the border; where that is too little, the first answer
        // stands.
        Vec2 polished = xy;
        end = options.precise
                  ? level.refine(polished, options.epsilon_px, Kernel::sinc, precise_steps)
                  : level.polish(polished, quality);
        if (end == End::diverged) return unsettled(end);
        if (options.precise && end != End::left_frame)
            quality = level.judge(polished, Kernel::sinc);
        if (end != End::left_frame && std::isfinite(quality.residual))
            xy = polished;
        else
            quality = level.judge(xy, Kernel::bilinear);
    } else {
        quality = level.judge(xy, Kernel::bilinear);
    }
    if (!inside(xy, next.level(0))) return lost_point(PointStatus::out_of_frame);
    if (quality.ncc < options.min_ncc)
        return lost_point(quality.only_noise ? PointStatus::low_texture
                                             : PointStatus::low_correlation);
    if (!(quality.sigma_px <= options.max_sigma_px)) return lost_point(PointStatus::low_texture);
    return {xy,
            static_cast<float>(quality.ncc),
            static_cast<float>(quality.residual),
            static_cast<float>(quality.sigma_px),
            std::numeric_limits<float>::quiet_NaN(),
            PointStatus::tracked};
}

/// Finds where the point is in `next`, coarse to fine. Coarse levels can be led astray, by what
/// moves beside the point: where the match is poor and they went far, the way without them is
/// tried.
PointMatch follow(const FramePyramid& prev, const FramePyramid& next, Vec2 from, Vec2 xy,
                  const PointOptions& options) {
    Vec2 near = xy;
    approach(prev, next, from, near, options);
    const PointMatch match = arrive(prev, next, from, near, options);
    if (match.status != PointStatus::tracked || match.ncc >= doubtful_ncc) return match;
    if (std::hypot(match.xy_px.x - xy.x, match.xy_px.y - xy.y) < least_detour_px) return match;
    const PointMatch direct = arrive(prev, next, from, xy, options);
    return direct.status == PointStatus::tracked && direct.ncc > match.ncc ? direct : match;
}

/// Fetches what the window at `xy` and `border` pixels around it cover, while there is still other
/// work to do.
void prefetch_window(const FramePyramid& pyramid, Vec2 xy, int window, int border) {
#if defined(__GNUC__)
    if (!finite(xy)) return;
    for (int l = 0; l < std::min(pyramid.levels(), prefetched_levels); ++l) {
        const ImageView& image = pyramid.level(l);
        const double reach = 0.5 * window + border;
        const double x = xy.x / (1 << l) - reach, y = xy.y / (1 << l) - reach;
        const int side = window + 2 * border;
        if (!(x >= 0 && y >= 0 && x + side < image.width && y + side < image.height)) continue;
        const std::ptrdiff_t sample = pixel_size(image.type);
        const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(x) * sample;
        for (int row = 0; row <= side; ++row) {
            const char* p = image.row<char>(static_cast<int>(y) + row) + first;
            const char* end = p + side * sample;
            __builtin_prefetch(p);
            if ((reinterpret_cast<std::uintptr_t>(p) ^ reinterpret_cast<std::uintptr_t>(end)) & 64)
                __builtin_prefetch(end);
        }
    }
#else
    static_cast<void>(pyramid), static_cast<void>(xy), static_cast<void>(window);
    static_cast<void>(border);
#endif
}

}  // namespace

PointMatch lost_point(PointStatus why) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    return {{nan_value, nan_value}, nan, nan, nan, nan, why};
}

PointMatch track_point(const FramePyramid& prev, const FramePyramid& next, Vec2 xy_px,
                       Vec2 guess_px, const PointOptions& options) {
    if (!finite(xy_px)) return lost_point(PointStatus::unseen);
    if (!inside(xy_px, prev.level(0))) return lost_point(PointStatus::out_of_frame);
    const Vec2 start = finite(guess_px) ? guess_px : xy_px;
    PointMatch match = follow(prev, next, xy_px, start, options);
    if (!options.forward_backward || match.status != PointStatus::tracked) return match;

    // The way back starts from the same expectation of motion, never from the known answer.
    const Vec2 back_start{match.xy_px.x - (start.x - xy_px.x), match.xy_px.y - (start.y - xy_px.y)};
    const PointMatch back = follow(next, prev, match.xy_px, back_start, options);
    if (back.status != PointStatus::tracked) return lost_point(PointStatus::failed_fb);
    const double error_px = std::hypot(back.xy_px.x - xy_px.x, back.xy_px.y - xy_px.y);
    if (error_px > options.max_fb_px) return lost_point(PointStatus::failed_fb);
    match.fb_px = static_cast<float>(error_px);
    return match;
}

void track_points(const FramePyramid& prev, const FramePyramid& next, std::span<const Vec2> xy_px,
                  std::span<const Vec2> guess_px, const PointOptions& options, int threads,
                  std::span<PointMatch> out) {
    const Vec2 unknown{nan_value, nan_value};
    parallel_for(static_cast<int>(xy_px.size()), points_a_piece, threads, [&](int begin, int end) {
        for (int i = begin; i < end; ++i) {
            const Vec2 guess = guess_px.empty() ? unknown : guess_px[i];
            if (i + 1 < end) {
                prefetch_window(prev, xy_px[i + 1], options.window, prev_border);
                prefetch_window(
                    next,
                    guess_px.empty() || !finite(guess_px[i + 1]) ? xy_px[i + 1] : guess_px[i + 1],
                    options.window, next_border);
            }
            out[i] = track_point(prev, next, xy_px[i], guess, options);
        }
    });
}

}  // namespace trackcore
