#include "core/follow.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace trackcore {
namespace {

// How far keyframe and previous frame may disagree about a position before the keyframe is
// doubted. Translation from frame to frame is good to a few tenths of a pixel on patches that
// turn or grow; a jump to another structure is further.
constexpr double agreement_px = 1.5;
// Below this likeness a keyframe is renewed while the patch still follows smoothly.
constexpr double renew_ncc = 0.85;
// A patch that needs a new keyframe every few frames is no one surface: it lies across an edge of
// something nearer, or is being covered. Blur passes sooner.
constexpr double first_renewals = 2.0, renewals_a_frame = 0.1, most_renewals = 3.0;
// The first keyframe is taken up again where the patch looks like it to at least this.
constexpr double home_ncc = 0.9;
// ... and has about its size and direction, so that the attempt is not wasted.
constexpr double home_scale = 1.3, home_turn = 0.35;

/// b after a, scaled as pixels have it.
Mat3 compose(const Mat3& b, const Mat3& a) { return normalised(product(b, a)); }

double distance(Vec2 a, Vec2 b) { return std::hypot(a.x - b.x, a.y - b.y); }

RefineOptions refine_options(const TrackerOptions& options) {
    RefineOptions refine;
    refine.max_iterations = options.points.max_iterations;
    refine.epsilon_px = options.points.epsilon_px;
    refine.reach_px = 2.0 * agreement_px;
    refine.min_ncc = options.points.min_ncc;
    return refine;
}

bool cut(const FramePyramid& frame, Vec2 xy, const TrackerOptions& options, RegionTemplate& out) {
    return make_region_template(frame.level(0), xy, options.points.window, options.model,
                                options.points.photometric != Photometric::none, out);
}

/// Whether a warp neither turns nor scales much about a point.
bool nearly_rigid(const Mat3& warp, Vec2 at) {
    const Vec2 o = apply(warp, at), x = apply(warp, {at.x + 1.0, at.y}),
               y = apply(warp, {at.x, at.y + 1.0});
    const double a = x.x - o.x, b = y.x - o.x, c = x.y - o.y, d = y.y - o.y;
    const double scale = std::sqrt(std::abs(a * d - b * c));
    return scale < home_scale && scale > 1.0 / home_scale &&
           std::abs(std::atan2(c - b, a + d)) < home_turn;
}

PointMatch accept(const RegionFit& fit, const PointMatch& step, const Mat3& key_to_now,
                  Patch& patch) {
    patch.key_to_now = key_to_now;
    patch.xy_px = fit.xy_px;
    return {fit.xy_px, fit.ncc, fit.residual, fit.sigma_px, step.fb_px, PointStatus::tracked};
}

/// Makes the last good frame the keyframe; the first one is remembered.
bool renew_key(const FramePyramid& prev, const TrackerOptions& options, Patch& patch) {
    RegionTemplate fresh;
    if (!cut(prev, patch.xy_px, options, fresh)) return false;
    if (!patch.away) {
        patch.home = std::move(patch.key);
        patch.home_to_key = Mat3{};
        patch.away = true;
    }
    patch.home_to_key = compose(patch.key_to_now, patch.home_to_key);
    patch.key = std::move(fresh);
    patch.key_to_now = Mat3{};
    return true;
}

/// Takes the first keyframe up again where the patch looks like it.
void return_home(const FramePyramid& next, const TrackerOptions& options, Patch& patch,
                 PointMatch& match) {
    const Mat3 start = compose(patch.key_to_now, patch.home_to_key);
    if (!nearly_rigid(start, patch.home.xy_px)) return;
    const RegionFit fit = refine_region(patch.home, next.level(0), start, refine_options(options));
    if (fit.status != PointStatus::tracked || fit.ncc < home_ncc ||
        distance(fit.xy_px, match.xy_px) > agreement_px)
        return;
    patch.key = std::move(patch.home);
    patch.away = false;
    match = accept(fit, match, fit.warp, patch);
}

/// Translation from frame to frame: expected to go on as it went, else to have stopped.
PointMatch step_from(const FramePyramid& prev, const FramePyramid& next,
                     const TrackerOptions& options, const Patch& patch) {
    const Vec2 xy = patch.xy_px, v = patch.velocity_px;
    const PointMatch onwards =
        track_point(prev, next, xy, {xy.x + v.x, xy.y + v.y}, options.points);
    if (onwards.status == PointStatus::tracked || (v.x == 0.0 && v.y == 0.0)) return onwards;
    const PointMatch stopped = track_point(prev, next, xy, xy, options.points);
    return stopped.status == PointStatus::tracked ? stopped : onwards;
}

PointMatch align(const FramePyramid& prev, const FramePyramid& next, const TrackerOptions& options,
                 Patch& patch) {
    const PointMatch step = step_from(prev, next, options, patch);
    if (step.status != PointStatus::tracked) return step;
    if (options.anchor == Anchor::previous && options.model == MotionModel::loc) {
        patch.xy_px = step.xy_px;
        return step;
    }
    const Mat3 move = translation(patch.xy_px, step.xy_px);
    const RefineOptions refine = refine_options(options);
    if (options.anchor == Anchor::previous) {
        if (!cut(prev, patch.xy_px, options, patch.key))
            return lost_point(PointStatus::low_texture);
        const RegionFit fit = refine_region(patch.key, next.level(0), move, refine);
        if (fit.status != PointStatus::tracked) return lost_point(fit.status);
        return accept(fit, step, Mat3{}, patch);
    }

    const RegionFit fit =
        refine_region(patch.key, next.level(0), compose(move, patch.key_to_now), refine);
    const bool good = fit.status == PointStatus::tracked;
    if (options.anchor == Anchor::keyframe) {
        if (!good) return lost_point(fit.status);
        return accept(fit, step, fit.warp, patch);
    }

    PointMatch match;
    const double enough = std::max(options.points.min_ncc, renew_ncc);
    if (good && fit.ncc >= enough && distance(fit.xy_px, step.xy_px) <= agreement_px) {
        match = accept(fit, step, fit.warp, patch);
    } else {
        if (patch.renewals < 1.0) return lost_point(PointStatus::low_correlation);
        patch.renewals -= 1.0;
        if (!renew_key(prev, options, patch)) return lost_point(PointStatus::low_texture);
        const RegionFit again = refine_region(patch.key, next.level(0), move, refine);
        if (again.status == PointStatus::tracked &&
            distance(again.xy_px, step.xy_px) <= agreement_px) {
            match = accept(again, step, again.warp, patch);
        } else {  // a blurred or half hidden patch: the step from frame to frame still holds
            match = step;
            patch.xy_px = step.xy_px;
            patch.key_to_now = move;
        }
    }
    if (patch.away) return_home(next, options, patch, match);
    return match;
}

}  // namespace

bool start_patch(const FramePyramid& frame, Vec2 xy_px, const TrackerOptions& options,
                 Patch& patch) {
    patch.xy_px = xy_px;
    patch.velocity_px = {0.0, 0.0};
    patch.key_to_now = Mat3{};
    patch.renewals = first_renewals;
    patch.away = false;
    return cut(frame, xy_px, options, patch.key);
}

PointMatch follow_patch(const FramePyramid& prev, const FramePyramid& next,
                        const TrackerOptions& options, Patch& patch) {
    const Vec2 from = patch.xy_px;
    patch.renewals = std::min(patch.renewals + renewals_a_frame, most_renewals);
    const PointMatch match = align(prev, next, options, patch);
    patch.velocity_px = {match.xy_px.x - from.x, match.xy_px.y - from.y};
    return match;
}

}  // namespace trackcore
