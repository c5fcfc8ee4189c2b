#include "core/detect.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>

#include "core/feature_select.hpp"
#include "core/simd/detect.hpp"
#include "core/threads.hpp"

TRACKCORE_DEFINE_KERNELS(DetectKernels, detect_kernels)

namespace trackcore {
namespace {

constexpr int max_block = 15;
constexpr int strip_columns = 960;  // so that the rows at work stay in the first caches
constexpr int band_rows = 128;      // one thread's piece; the rows above it are made twice
constexpr int piece_columns = 64;   // in which a mask is looked at
constexpr int rows_ahead = 16;      // to prefetch
constexpr int whole = simd::corner_lanes;

// Column `margin` of every buffer is the one left of the tile, with room before it for what
// derivatives and sums reach for, and behind the last for whole vectors.
constexpr int margin = 32;
constexpr int columns = margin + strip_columns + 96;
static_assert(strip_columns + 2 + whole <= simd::max_corner_columns);
static_assert(margin + strip_columns + 2 + max_block + 2 * whole <= columns);

int mirror(int i, int n) {
    while (i < 0 || i >= n) i = i < 0 ? -i : 2 * (n - 1) - i;
    return i;
}

int whole_vectors(int n) { return (n + whole - 1) / whole * whole; }

/// Asks for pixels that are needed a little later: strips of rows defeat the CPU's own guess.
template <class Pixel>
void prefetch([[maybe_unused]] const Pixel* row, [[maybe_unused]] int n) {
#if defined(__GNUC__)
    constexpr int line = 64 / sizeof(Pixel);
    for (int i = 0; i < n; i += line) __builtin_prefetch(row + i);
#endif
}

/// Pixels [x0, x1) x [y0, y1).
struct Tile {
    int x0, y0, x1, y1;
};

/// A mask, seen pixel by pixel.
class Mask {
  public:
    Mask(const MaskView* view, const ImageView& image)
        : view_(view), width_(image.width), height_(image.height) {}

    explicit operator bool() const { return view_ != nullptr; }
    bool stretched() const { return view_->width != width_; }
    const std::uint8_t* entries(int y) const {
        return view_->data + scaled(y, view_->height, height_) * view_->stride;
    }
    int entry(int x) const { return scaled(x, view_->width, width_); }

    /// A part of `tile` that holds all its allowed pixels; empty if there are none.
    Tile allowed_part(const Tile& tile) const {
        Tile part{tile.x1, tile.y1, tile.x0, tile.y0};
        const std::uint8_t* before = nullptr;
        int first = tile.x1, last = tile.x0;
        for (int y = tile.y0; y < tile.y1; ++y) {
            const std::uint8_t* row = entries(y);
            if (row != before) {
                first = entry(tile.x0), last = entry(tile.x1 - 1);
                while (last - first >= 8 && all_zero(row + first)) first += 8;
                while (first <= last && row[first] == 0) ++first;
                while (first <= last && row[last] == 0) --last;
                if (stretched() && first <= last) first = tile.x0, last = tile.x1 - 1;
            }
            before = row;
            if (first > last) continue;
            part.x0 = std::min(part.x0, first), part.x1 = std::max(part.x1, last + 1);
            part.y0 = std::min(part.y0, y), part.y1 = y + 1;
        }
        return part;
    }

  private:
    static int scaled(int i, int entries, int pixels) {
        if (entries == pixels) return i;
        return static_cast<int>(static_cast<std::int64_t>(i) * entries / pixels);
    }
    static bool all_zero(const std::uint8_t* eight) {
        std::uint64_t word = 0;
        std::memcpy(&word, eight, sizeof word);
        return word == 0;
    }
    const MaskView* view_;
    int width_, height_;
};

/// What the tiles of one image share.
struct Search {
    const ImageView& image;
    const FeatureOptions& options;
    const Mask mask;
    std::atomic<float> strongest{0.0f};
    std::mutex mutex;  // guards corners
    std::vector<Corner>& corners;

    /// No corner weaker than this can be wanted, whatever else is found.
    float threshold() const {
        return static_cast<float>(strongest.load(std::memory_order_relaxed) * options.quality);
    }
    void saw(float strength) {
        float known = strongest.load(std::memory_order_relaxed);
        while (strength > known && !strongest.compare_exchange_weak(known, strength)) {
        }
    }
};

/// Finds the corners of tiles of one pixel type, row by row.
template <class Pixel, class Grad, class Sum>
class Scanner {
  public:
    using Kernels = simd::CornerKernels<Pixel, Grad, Sum>;

    Scanner(Search& search, const Kernels& kernels)
        : search_(search), kernels_(kernels), block_(search.options.block) {}

    /// Appends the local maxima of `tile`, which has no pixel of the image's border.
    void scan(const Tile& tile, std::vector<Corner>& found) {
        tile_ = tile;
        n_ = tile.x1 - tile.x0 + 2;
        expanded_ = nullptr;
        std::memset(sums_, 0, sizeof sums_);
        std::memset(grads_, 0, (block_ + 1) * sizeof grads_[0]);

        const int before = block_ / 2, after = block_ - 1 - before;
        for (int y = tile.y0 - 1 - before; y < tile.y0 - 1 + after; ++y) add_row(y);
        for (int y = tile.y0 - 1; y <= tile.y1; ++y) {
            add_row(y + after);
            reflect_sums();
            const float most = kernels_.strength(sums_[0] + margin, sums_[1] + margin,
                                                 sums_[2] + margin, block_, n_, strengths(y));
            search_.saw(search_.mask
                            ? simd::detect_kernels().largest_where(strengths(y), allowed(y), n_)
                            : most);
            if (y > tile.y0) find_peaks(y - 1, found);
        }
    }

  private:
    float* strengths(int y) { return strength_[(y + 3) % 3] + margin; }

    /// Moves the block down by one row: row y enters, mirrored at the image's border.
    void add_row(int y) {
        const ImageView& image = search_.image;
        const int reach = block_ / 2 + 2;  // of the sums and of the derivative
        const int begin = std::max(tile_.x0 - reach, 0);
        const int end = std::min(tile_.x1 + reach, image.width);
        y = mirror(y, image.height);
        const auto row = [&](int i) { return image.row<Pixel>(mirror(i, image.height)) + begin; };
        prefetch(row(y + rows_ahead), end - begin);
        Grad *smooth = smooth_ + column(begin), *diff = diff_ + column(begin);
        const int n = end - begin;
        kernels_.blur(row(y - 1), row(y), row(y + 1), n, smooth, diff);
        if (begin == 0) smooth[-1] = smooth[1], diff[-1] = diff[1];
        if (end == image.width) smooth[n] = smooth[n - 2], diff[n] = diff[n - 2];

        Grad *dx[max_block + 1], *dy[max_block + 1];
        for (int k = 0; k <= block_; ++k) {
            const int slot = (oldest_ + k) % (block_ + 1);
            dx[k] = grads_[slot][0], dy[k] = grads_[slot][1];
        }
        oldest_ = (oldest_ + 1) % (block_ + 1);
        constexpr int skip = margin - 16;  // the sums reach no further to the left
        for (int k = 0; k <= block_; ++k) dx[k] += skip, dy[k] += skip;
        kernels_.accumulate(smooth_ + skip, diff_ + skip, dx, dy, block_,
                            whole_vectors(16 + n_ + block_ / 2), sums_[0] + skip, sums_[1] + skip,
                            sums_[2] + skip);
    }

    /// Gives the columns outside the image the sums of their mirror images.
    void reflect_sums() {
        const int width = search_.image.width;
        const auto copy = [&](int x) {
            for (auto& row : sums_) row[column(x)] = row[column(mirror(x, width))];
        };
        for (int x = tile_.x0 - 1 - block_ / 2; x < 0; ++x) copy(x);
        for (int x = width; x <= tile_.x1 + (block_ - 1) / 2; ++x) copy(x);
    }

    void find_peaks(int y, std::vector<Corner>& found) {
        const int n =
            simd::detect_kernels().peaks(strengths(y - 1), strengths(y), strengths(y + 1), n_ - 1,
                                         search_.threshold(), peak_column_, peak_value_);
        const std::uint8_t* where = search_.mask ? allowed(y) : nullptr;
        for (int i = 0; i < n; ++i) {
            const int x = peak_column_[i];
            if (x == 0 || (where != nullptr && where[x] == 0)) continue;  // 0: left of the tile
            found.push_back({peak_value_[i], tile_.x0 - 1 + x, y});
        }
    }

    /// The mask's row from the column left of the tile.
    const std::uint8_t* allowed(int y) {
        const Mask& mask = search_.mask;
        const std::uint8_t* entries = mask.entries(y);
        const int x0 = tile_.x0 - 1;
        if (!mask.stretched()) return entries + x0;
        if (entries != expanded_)
            for (int x = 0; x < n_; ++x) allowed_[x] = entries[mask.entry(x0 + x)];
        expanded_ = entries;
        return allowed_;
    }

    int column(int x) const { return margin + x - (tile_.x0 - 1); }

    Search& search_;
    const Kernels& kernels_;
    const int block_;
    Tile tile_{};
    int n_ = 0;       // columns of the tile and one on either side
    int oldest_ = 0;  // slot of grads_
    const std::uint8_t* expanded_ = nullptr;
    alignas(64) Grad smooth_[columns] = {};
    alignas(64) Grad diff_[columns] = {};
    alignas(64) Sum sums_[3][columns] = {};  // of xx, xy, yy over the block's rows
    alignas(64) float strength_[3][columns] = {};
    alignas(64) std::int32_t peak_column_[columns] = {};
    alignas(64) float peak_value_[columns] = {};
    std::uint8_t allowed_[columns] = {};
    alignas(64) Grad grads_[max_block + 1][2][columns];
};

/// Begin of the i-th of n about equal parts of `size`.
int cut(int i, int n, int size) {
    return static_cast<int>(static_cast<std::int64_t>(i) * size / n);
}

/// Appends what the mask allows of rows [y0, y1): pieces that touch become one tile.
void add_allowed(const Mask& mask, int width, int y0, int y1, std::vector<Tile>& tiles) {
    const int pieces = (width + piece_columns - 1) / piece_columns;
    int last_end = -1;
    for (int i = 0; i < pieces; ++i) {
        const int x0 = cut(i, pieces, width), x1 = cut(i + 1, pieces, width);
        const Tile part = mask.allowed_part({x0, y0, x1, y1});
        if (part.x0 >= part.x1) continue;
        if (last_end == x0 && part.x1 - tiles.back().x0 <= strip_columns) {
            Tile& tile = tiles.back();
            tile = {tile.x0, std::min(tile.y0, part.y0), part.x1, std::max(tile.y1, part.y1)};
        } else {
            tiles.push_back(part);
        }
        last_end = x1;
    }
}

/// Cuts the image, or what the mask allows of it, into tiles, and the image's border off them:
/// nothing is detected there. A tile of border only is left empty, as its strength counts.
std::vector<Tile> tiles_of(const Search& search, int threads) {
    const int width = search.image.width, height = search.image.height;
    const int strips = (width + strip_columns - 1) / strip_columns;
    const bool whole_strips = threads == 1 && !search.mask;
    const int bands = whole_strips ? 1 : (height + band_rows - 1) / band_rows;
    std::vector<Tile> tiles;
    for (int j = 0; j < bands; ++j) {
        const int y0 = cut(j, bands, height), y1 = cut(j + 1, bands, height);
        if (search.mask)
            add_allowed(search.mask, width, y0, y1, tiles);
        else
            for (int i = 0; i < strips; ++i)
                tiles.push_back({cut(i, strips, width), y0, cut(i + 1, strips, width), y1});
    }
    const auto inside = [](int& begin, int& end, int size) {
        begin = std::clamp(begin, 1, size - 2);
        end = std::clamp(end, begin, size - 1);
    };
    for (Tile& tile : tiles) inside(tile.x0, tile.x1, width), inside(tile.y0, tile.y1, height);
    return tiles;
}

template <class Pixel, class Grad, class Sum>
void scan_all(Search& search, const simd::CornerKernels<Pixel, Grad, Sum>& kernels, int threads) {
    const std::vector<Tile> tiles = tiles_of(search, threads);
    parallel_for(static_cast<int>(tiles.size()), 1, threads, [&](int begin, int end) {
        const auto scanner = std::make_unique<Scanner<Pixel, Grad, Sum>>(search, kernels);
        thread_local std::vector<Corner> found;
        found.clear();
        for (int i = begin; i < end; ++i) scanner->scan(tiles[i], found);
        const std::lock_guard lock(search.mutex);
        if (search.corners.empty())
            search.corners.swap(found);
        else
            search.corners.insert(search.corners.end(), found.begin(), found.end());
    });
}

}  // namespace

void detect_features(const ImageView& image, const FeatureOptions& options,
                     std::span<const Vec2> existing_px, const MaskView* mask, int threads,
                     std::vector<Feature>& out, const WeightView* weights) {
    out.clear();
    if (image.width < 3 || image.height < 3) return;
    thread_local std::vector<Corner> corners;
    corners.clear();
    Search search{image, options, Mask(mask, image), 0.0f, {}, corners};
    const simd::DetectKernels& kernels = simd::detect_kernels();
    switch (image.type) {
        case PixelType::u8:
            scan_all(search, kernels.u8, threads);
            break;
        case PixelType::u16:
            scan_all(search, kernels.u16, threads);
            break;
        case PixelType::f32:
            scan_all(search, kernels.f32, threads);
            break;
    }

    // Strength is twice the eigenvalue of a sum over the block, of derivatives times 8.
    const float score_scale =
        1.0f / (2.0f * 64.0f * static_cast<float>(options.block * options.block));
    const float threshold = search.threshold();
    std::erase_if(corners, [&](const Corner& c) {
        return !(c.strength > threshold) || c.strength * score_scale < options.min_score;
    });
    select_features(corners, image.width, image.height, score_scale, options, existing_px, weights,
                    out);
}

}  // namespace trackcore
