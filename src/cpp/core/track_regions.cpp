#include "core/track_regions.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "core/sampled_area.hpp"
#include "core/threads.hpp"
#include "core/zncc.hpp"

namespace trackcore {
namespace {

constexpr int regions_a_piece = 16;

RegionMatch lost_region(PointStatus why) {
    RegionMatch match{lost_point(why), {}};
    std::fill(std::begin(match.warp.m), std::end(match.warp.m),
              std::numeric_limits<double>::quiet_NaN());
    return match;
}

template <class Pixel>
void copy_clamped(const ImageView& image, int x0, int y0, const ImageView& copy) {
    for (int y = 0; y < copy.height; ++y) {
        const Pixel* from = image.row<Pixel>(std::clamp(y0 + y, 0, image.height - 1));
        Pixel* to = const_cast<Pixel*>(copy.row<Pixel>(y));
        for (int x = 0; x < copy.width; ++x) to[x] = from[std::clamp(x0 + x, 0, image.width - 1)];
    }
}

/// The pixels at (x0, y0): the image's own where they lie inside, else a copy in which the nearest
/// pixel is repeated outside.
ImageView crop(const ImageView& image, int x0, int y0, int width, int height,
               std::vector<std::byte>& memory) {
    constexpr std::ptrdiff_t slack = 64;  // bytes that ImageView::slack promises
    ImageView view = image;
    view.width = width, view.height = height;
    const std::ptrdiff_t sample = pixel_size(image.type);
    if (x0 >= 0 && y0 >= 0 && x0 + width <= image.width && y0 + height <= image.height) {
        view.data = image.row<char>(y0) + x0 * sample;
        // More of the same row follows, or the next one does.
        view.slack = image.slack || (image.width - x0 - width) * sample >= slack ||
                     (image.stride >= slack && y0 + height < image.height);
        return view;
    }
    view.slack = true;
    view.stride = (width * sample + 15) / 16 * 16;
    const auto bytes = static_cast<std::size_t>(view.stride * height + slack);
    if (memory.size() < bytes) memory.resize(bytes);
    view.data = memory.data();
    switch (image.type) {
        case PixelType::u8:
            copy_clamped<std::uint8_t>(image, x0, y0, view);
            break;
        case PixelType::u16:
            copy_clamped<std::uint16_t>(image, x0, y0, view);
            break;
        case PixelType::f32:
            copy_clamped<float>(image, x0, y0, view);
            break;
    }
    return view;
}

/// The first derivatives of a warp at a point, [a b; c d], and where the point goes.
struct Local {
    double a, b, c, d;
    Vec2 to;

    Local(const Mat3& warp, Vec2 at) : to(apply(warp, at)) {
        const double* m = warp.m;
        const double w = 1.0 / (m[6] * at.x + m[7] * at.y + m[8]);
        a = (m[0] - to.x * m[6]) * w, b = (m[1] - to.x * m[7]) * w;
        c = (m[3] - to.y * m[6]) * w, d = (m[4] - to.y * m[7]) * w;
    }
    bool deforms() const {
        constexpr double little = 0.01;  // less than a pixel over the largest pattern
        return std::abs(a - 1.0) + std::abs(b) + std::abs(c) + std::abs(d - 1.0) > little;
    }
};

template <class Pixel>
void write_pixels(const float* samples, const SampleMap& map, const ImageView& to) {
    for (int y = 0; y < to.height; ++y)
        for (int x = 0; x < to.width; ++x) {
            const double grey = samples[y * to.width + x] / map.scale + map.offset;
            Pixel& pixel = const_cast<Pixel*>(to.row<Pixel>(y))[x];
            if constexpr (std::is_floating_point_v<Pixel>)
                pixel = static_cast<Pixel>(grey);
            else
                pixel = static_cast<Pixel>(
                    std::clamp(grey + 0.5, 0.0, double{std::numeric_limits<Pixel>::max()}));
        }
}

/// The pattern as `warp` is expected to show it in the next image, but for its position.
ImageView expected_pattern(const ImageView& prev, const RegionTemplate& t, const Mat3& warp) {
    thread_local std::vector<std::byte> memory;
    thread_local std::vector<float> samples;
    const double half = 0.5 * (t.pattern - 1);
    const int x0 = static_cast<int>(t.centre_px.x - half),
              y0 = static_cast<int>(t.centre_px.y - half);
    const Local local(warp, t.centre_px);
    const double scale = half / (local.a * local.d - local.b * local.c);
    const Mat3 back{{local.d * scale, -local.b * scale, t.centre_px.x, -local.c * scale,
                     local.a * scale, t.centre_px.y, 0, 0, 1}};
    SampledArea area(prev, t.map, false);
    if (!local.deforms() || !plausible(back, half) || !area.cover(back))
        return crop(prev, x0, y0, t.pattern, t.pattern, memory);
    const PatternPositions& at = pattern_positions(t.pattern);
    samples.resize(at.u.size());
    area.sample(back, at, 0.0, samples.data());
    ImageView view{nullptr, t.pattern * pixel_size(prev.type), t.pattern, t.pattern, prev.type};
    memory.resize(static_cast<std::size_t>(view.stride * t.pattern));
    view.data = memory.data();
    switch (prev.type) {
        case PixelType::u8:
            write_pixels<std::uint8_t>(samples.data(), t.map, view);
            break;
        case PixelType::u16:
            write_pixels<std::uint16_t>(samples.data(), t.map, view);
            break;
        case PixelType::f32:
            write_pixels<float>(samples.data(), t.map, view);
            break;
    }
    return view;
}

enum class Search { found, no_match, outside };

/// Moves `warp` to the whole-pixel position where the pattern matches best, of all in the search
/// area around `around`.
Search search_everywhere(const ImageView& prev, const ImageView& next, const RegionTemplate& t,
                         Vec2 around, int search, Mat3& warp) {
    const double half = 0.5 * (t.pattern - 1);
    const Vec2 point = apply(warp, t.xy_px), centre = apply(warp, t.centre_px);
    const int reach = std::max(search - t.pattern, 0) / 2;
    // First pixels of the windows: around the expected one, with their middle in the frame.
    const auto range = [&](double middle, double move, int size, int& first, int& count) {
        const double expected = std::round(middle + move - half);
        const double lo = std::max(expected - reach, std::ceil(-half));
        const double hi = std::min(expected + reach, std::floor(size - 1 - half));
        first = static_cast<int>(lo);
        count = static_cast<int>(hi - lo) + 1;
        return hi >= lo;
    };
    int x0 = 0, y0 = 0, nx = 0, ny = 0;
    if (!range(centre.x, around.x - point.x, next.width, x0, nx) ||
        !range(centre.y, around.y - point.y, next.height, y0, ny))
        return Search::outside;
    thread_local std::vector<std::byte> memory;
    const ImageView pattern = expected_pattern(prev, t, warp);
    const ImageView area = crop(next, x0, y0, t.pattern + nx - 1, t.pattern + ny - 1, memory);
    const PatternHit hit = find_pattern(pattern, area);
    if (!hit.found) return Search::no_match;
    warp = product(translation(centre, {x0 + hit.x + half, y0 + hit.y + half}), warp);
    return Search::found;
}

bool finite(const Mat3& warp) {
    return std::all_of(std::begin(warp.m), std::end(warp.m),
                       [](double v) { return std::isfinite(v); });
}

/// Asks for the pixels of a square around a point, so that they are there when it is their turn.
void prefetch(const ImageView& image, Vec2 middle, int side) {
#if defined(__GNUC__)
    if (!finite(middle)) return;
    const double x = middle.x - 0.5 * side, y = middle.y - 0.5 * side;
    if (!(x >= 0.0 && y >= 0.0 && x + side < image.width && y + side < image.height)) return;
    constexpr std::ptrdiff_t line = 64;
    const std::ptrdiff_t sample = pixel_size(image.type);
    for (int row = 0; row < side; ++row) {
        const char* p = image.row<char>(static_cast<int>(y) + row) + static_cast<int>(x) * sample;
        for (std::ptrdiff_t i = 0; i < side * sample + line; i += line) __builtin_prefetch(p + i);
    }
#else
    static_cast<void>(image), static_cast<void>(middle), static_cast<void>(side);
#endif
}

/// Expected to be at `around` and to deform as `warp`; where those are not finite, to go where the
/// other says, and to stay as it was.
RegionMatch track_region(const ImageView& prev, const ImageView& next, Vec2 xy, Vec2 around,
                         Mat3 warp, const RegionOptions& options) {
    if (!finite(xy)) return lost_region(PointStatus::unseen);
    if (!inside(xy, prev)) return lost_region(PointStatus::out_of_frame);
    thread_local RegionTemplate pattern;
    if (!make_region_template(prev, xy, options.pattern, options.model, options.normalize, pattern))
        return lost_region(PointStatus::low_texture);
    if (!finite(warp)) warp = translation(xy, finite(around) ? around : xy);
    const Vec2 moved = apply(warp, xy);
    if (!finite(moved)) return lost_region(PointStatus::not_converged);  // to infinity
    if (!finite(around)) around = moved;
    warp = product(translation(moved, around), warp);
    if (options.brute)
        switch (search_everywhere(prev, next, pattern, around, options.search, warp)) {
            case Search::outside:
                return lost_region(PointStatus::out_of_frame);
            case Search::no_match:
                return lost_region(PointStatus::low_correlation);
            case Search::found:
                break;
        }
    RefineOptions refine;
    refine.max_iterations = options.max_iterations;
    refine.epsilon_px = options.epsilon_px;
    refine.reach_px = 0.5 * options.search;
    refine.around_px = around;
    refine.min_ncc = options.min_correlation;
    const RegionFit fit = refine_region(pattern, next, warp, refine);
    if (fit.status != PointStatus::tracked) return lost_region(fit.status);
    RegionMatch match{lost_point(PointStatus::tracked), fit.warp};
    match.point.xy_px = fit.xy_px;
    match.point.ncc = fit.ncc;
    match.point.residual = fit.residual;
    match.point.sigma_px = fit.sigma_px;
    return match;
}

}  // namespace

void track_regions(const ImageView& prev, const ImageView& next, std::span<const Vec2> xy_px,
                   std::span<const Vec2> guess_px, std::span<const Mat3> guess_warp,
                   const RegionOptions& options, int threads, std::span<RegionMatch> out) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const Vec2 nowhere{nan, nan};
    const Mat3 unknown{{nan}};
    parallel_for(static_cast<int>(xy_px.size()), regions_a_piece, threads, [&](int begin, int end) {
        for (int i = begin; i < end; ++i) {
            if (i + 1 < end) {
                const Vec2 expected = !guess_px.empty()    ? guess_px[i + 1]
                                      : guess_warp.empty() ? xy_px[i + 1]
                                                           : apply(guess_warp[i + 1], xy_px[i + 1]);
                prefetch(prev, xy_px[i + 1], options.pattern + 4);
                prefetch(next, expected, options.brute ? options.search : options.pattern + 8);
            }
            out[i] = track_region(prev, next, xy_px[i], guess_px.empty() ? nowhere : guess_px[i],
                                  guess_warp.empty() ? unknown : guess_warp[i], options);
        }
    });
}

}  // namespace trackcore
