#include "core/track_regions.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/threads.hpp"
#include "core/zncc.hpp"

namespace trackcore {
namespace {

constexpr int regions_a_piece = 8;

bool finite(Vec2 v) { return std::isfinite(v.x) && std::isfinite(v.y); }

bool inside(Vec2 v, const ImageView& image) {
    return v.x >= -0.5 && v.y >= -0.5 && v.x <= image.width - 0.5 && v.y <= image.height - 0.5;
}

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
    ImageView view = image;
    view.width = width, view.height = height;
    const std::ptrdiff_t sample = pixel_size(image.type);
    if (x0 >= 0 && y0 >= 0 && x0 + width <= image.width && y0 + height <= image.height) {
        view.data = image.row<char>(y0) + x0 * sample;
        return view;
    }
    view.stride = (width * sample + 15) / 16 * 16;
    const auto bytes = static_cast<std::size_t>(view.stride * height);
    if (memory.size() < bytes) memory.resize(bytes);
    view.data = memory.data();
    switch (image.type) {
        case PixelType::u8: copy_clamped<std::uint8_t>(image, x0, y0, view); break;
        case PixelType::u16: copy_clamped<std::uint16_t>(image, x0, y0, view); break;
        case PixelType::f32: copy_clamped<float>(image, x0, y0, view); break;
    }
    return view;
}

enum class Search { found, no_match, outside };

/// Looks for the template's pattern everywhere in the search area around `guess`; `shift_px` is
/// then the whole-pixel motion that matches best.
Search search_everywhere(const ImageView& prev, const ImageView& next, const RegionTemplate& t,
                         Vec2 guess, int search, Vec2& shift_px) {
    const double half = 0.5 * (t.pattern - 1);
    const int x0 = static_cast<int>(t.centre_px.x - half), y0 = static_cast<int>(t.centre_px.y - half);
    const int reach = std::max(search - t.pattern, 0) / 2;
    const double dx = std::round(guess.x - t.xy_px.x), dy = std::round(guess.y - t.xy_px.y);
    // Only positions whose middle is in the frame.
    const auto range = [&](double shift, double centre, int size, int& first, int& count) {
        const double lo = std::max(shift - reach, std::ceil(-centre));
        const double hi = std::min(shift + reach, std::floor(size - 1 - centre));
        first = static_cast<int>(lo);
        count = static_cast<int>(hi - lo) + 1;
        return hi >= lo;
    };
    int first_x, first_y, nx, ny;
    if (!range(dx, t.centre_px.x, next.width, first_x, nx) ||
        !range(dy, t.centre_px.y, next.height, first_y, ny))
        return Search::outside;
    thread_local std::vector<std::byte> pattern_memory, area_memory;
    const ImageView pattern = crop(prev, x0, y0, t.pattern, t.pattern, pattern_memory);
    const ImageView area = crop(next, x0 + first_x, y0 + first_y, t.pattern + nx - 1,
                                t.pattern + ny - 1, area_memory);
    const PatternHit hit = find_pattern(pattern, area);
    if (!hit.found) return Search::no_match;
    shift_px = {static_cast<double>(first_x + hit.x), static_cast<double>(first_y + hit.y)};
    return Search::found;
}

RegionMatch track_region(const ImageView& prev, const ImageView& next, Vec2 xy, Vec2 guess,
                         const RegionOptions& options) {
    if (!finite(xy)) return lost_region(PointStatus::unseen);
    if (!inside(xy, prev)) return lost_region(PointStatus::out_of_frame);
    if (!finite(guess)) guess = xy;
    thread_local RegionTemplate pattern;
    if (!make_region_template(prev, xy, options.pattern, options.model, options.normalize, pattern))
        return lost_region(PointStatus::low_texture);
    Vec2 start = guess;
    if (options.brute) {
        Vec2 shift_px;
        switch (search_everywhere(prev, next, pattern, guess, options.search, shift_px)) {
            case Search::outside: return lost_region(PointStatus::out_of_frame);
            case Search::no_match: return lost_region(PointStatus::low_correlation);
            case Search::found: start = {xy.x + shift_px.x, xy.y + shift_px.y};
        }
    }
    RefineOptions refine;
    refine.max_iterations = options.max_iterations;
    refine.epsilon_px = options.epsilon_px;
    refine.reach_px = 0.5 * options.search;
    refine.around_px = guess;
    refine.min_ncc = options.min_correlation;
    const RegionFit fit = refine_region(pattern, next, translation(xy, start), refine);
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
                   std::span<const Vec2> guess_px, const RegionOptions& options, int threads,
                   std::span<RegionMatch> out) {
    parallel_for(static_cast<int>(xy_px.size()), regions_a_piece, threads, [&](int begin, int end) {
        for (int i = begin; i < end; ++i)
            out[i] = track_region(prev, next, xy_px[i], guess_px.empty() ? xy_px[i] : guess_px[i],
                                  options);
    });
}

}  // namespace trackcore
