#include "core/feature_select.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace trackcore {
namespace {

bool stronger(const Corner& a, const Corner& b) {
    if (a.strength != b.strength) return a.strength > b.strength;
    return a.y != b.y ? a.y > b.y : a.x > b.x;
}

/// The pixels that are too near to a feature, one bit each.
class Taken {
  public:
    Taken(int width, int height, double min_distance_px)
        : width_(width),
          height_(height),
          words_a_row_((static_cast<std::size_t>(width) + 63) / 64),
          distance_(min_distance_px) {
        bits().assign(words_a_row_ * static_cast<std::size_t>(height), 0);
        // Half the width of a disc around a pixel, by row: the largest k that is too near.
        for (double y = 0.0; y < distance_ && y < height; y += 1.0)
            half_width_.push_back(static_cast<int>(reach(y)));
    }

    bool at(int x, int y) const { return (word(x, y) >> (x % 64) & 1u) != 0; }

    /// Takes all pixels nearer than the distance to a pixel.
    void take(int x, int y) {
        for (int dy = 0; dy < static_cast<int>(half_width_.size()); ++dy) {
            const int first = std::max(x - half_width_[dy], 0);
            const int last = std::min(x + half_width_[dy], width_ - 1);
            if (y + dy < height_) set(y + dy, first, last);
            if (dy > 0 && y - dy >= 0) set(y - dy, first, last);
        }
    }

    /// The same for a point anywhere.
    void take(Vec2 p) {
        const double first_row = std::max(std::ceil(p.y - distance_), 0.0);
        const double last_row = std::min(std::floor(p.y + distance_), height_ - 1.0);
        for (double y = first_row; y <= last_row; y += 1.0) {
            const double dy = y - p.y;
            const double half = std::sqrt(std::max(distance_ * distance_ - dy * dy, 0.0)) + 1.0;
            double first = std::max(std::ceil(p.x - half), 0.0);
            double last = std::min(std::floor(p.x + half), width_ - 1.0);
            while (first <= last && !near(first - p.x, dy)) first += 1.0;
            while (first <= last && !near(last - p.x, dy)) last -= 1.0;
            if (first <= last)
                set(static_cast<int>(y), static_cast<int>(first), static_cast<int>(last));
        }
    }

  private:
    // Kept from call to call: fresh memory of this size costs more than filling it.
    static std::vector<std::uint64_t>& bits() {
        thread_local std::vector<std::uint64_t> memory;
        return memory;
    }
    std::uint64_t word(int x, int y) const {
        return bits()[static_cast<std::size_t>(y) * words_a_row_ + static_cast<std::size_t>(x) / 64];
    }
    bool near(double dx, double dy) const { return dx * dx + dy * dy < distance_ * distance_; }

    double reach(double dy) const {
        double k = std::floor(std::sqrt(distance_ * distance_ - dy * dy)) + 1.0;
        while (k > 0.0 && !near(k, dy)) k -= 1.0;
        return std::min(k, static_cast<double>(width_));
    }

    void set(int y, int first, int last) {
        constexpr std::uint64_t ones = ~std::uint64_t{0};
        std::uint64_t* row = bits().data() + static_cast<std::size_t>(y) * words_a_row_;
        const std::uint64_t from = ones << (first % 64), to = ones >> (63 - last % 64);
        std::uint64_t* p = row + first / 64;
        std::uint64_t* const end = row + last / 64;
        if (p == end) {
            *p |= from & to;
            return;
        }
        *p++ |= from;
        while (p != end) *p++ = ones;
        *p |= to;
    }

    int width_, height_;
    std::size_t words_a_row_;
    double distance_;
    std::vector<int> half_width_;
};

/// Calls visit(corner) from the strongest down until it returns false; `skip` says which corners
/// need no visit any more. About `wanted` visits are expected: as few corners as that takes are
/// put in order, bucket by bucket of similar strength, so that a few of many cost little.
template <class Skip, class Visit>
void visit_strongest_first(const std::vector<Corner>& corners, std::size_t wanted, Skip skip,
                           Visit visit) {
    // Positive floats are ordered as their bits are; these buckets are 1/16 of an octave.
    constexpr int shift = 19, n_buckets = 1 << (31 - shift);
    const auto bucket = [](const Corner& c) {
        return n_buckets - 1 - static_cast<int>(std::bit_cast<std::uint32_t>(c.strength) >> shift);
    };
    std::uint32_t size[n_buckets] = {};
    for (const Corner& c : corners) ++size[bucket(c)];

    thread_local std::vector<Corner> chunk;
    std::size_t left = corners.size();
    for (int first = 0, last = 0; left > 0; first = last, wanted *= 4) {
        std::uint32_t end[n_buckets];  // where each bucket's next corner goes: at last, its end
        std::uint32_t n = 0;
        for (; last < n_buckets && n < wanted; ++last) end[last] = n, n += size[last];
        chunk.resize(n);
        for (const Corner& c : corners)
            if (const int b = bucket(c); b >= first && b < last) chunk[end[b]++] = c;
        auto begin = chunk.begin();
        for (int b = first; b < last; ++b) {
            const auto behind = chunk.begin() + end[b];
            const auto open = std::remove_if(begin, behind, skip);
            std::sort(begin, open, stronger);
            for (; begin != open; ++begin)
                if (!visit(*begin)) return;
            begin = behind;
        }
        left -= n;
    }
}

/// About square cells that divide the frame, and how many features each holds.
class Cells {
  public:
    Cells(int width, int height, int columns)
        : width_(width),
          height_(height),
          columns_(std::min(columns, width)),
          rows_(std::clamp(static_cast<int>(std::lround(double(columns) * height / width)), 1,
                           height)),
          held_(static_cast<std::size_t>(columns_) * rows_) {}

    int count() const { return static_cast<int>(held_.size()); }
    int& held(int x, int y) {
        const auto column = static_cast<std::int64_t>(x) * columns_ / width_;
        const auto row = static_cast<std::int64_t>(y) * rows_ / height_;
        return held_[static_cast<std::size_t>(row * columns_ + column)];
    }

  private:
    int width_, height_, columns_, rows_;
    std::vector<int> held_;
};

bool in_frame(Vec2 p, int width, int height) {
    return p.x >= -0.5 && p.y >= -0.5 && p.x < width - 0.5 && p.y < height - 0.5;
}

int divide_up(int a, int b) { return (a + b - 1) / b; }

}  // namespace

void select_features(const std::vector<Corner>& corners, int width, int height, float score_scale,
                     const FeatureOptions& options, std::span<const Vec2> existing_px,
                     std::vector<Feature>& out) {
    Taken taken(width, height, options.min_distance);
    Cells cells(width, height, std::max(options.cells, 1));
    int n_existing = 0;
    for (const Vec2& p : existing_px) {
        if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
        taken.take(p);
        if (!in_frame(p, width, height)) continue;
        ++cells.held(static_cast<int>(p.x + 0.5), static_cast<int>(p.y + 0.5));
        ++n_existing;
    }
    constexpr int no_limit = std::numeric_limits<int>::max();
    const int wanted = options.max_features > 0 ? options.max_features : no_limit;
    const bool balance = options.cells > 0 && wanted != no_limit;
    int share = balance ? divide_up(n_existing + wanted, cells.count()) : no_limit;

    std::vector<Corner> kept;
    std::vector<Corner> waiting;  // their cell has its share; strongest first
    const auto keep = [&](const Corner& c) {
        kept.push_back(c);
        taken.take(c.x, c.y);
        return static_cast<int>(kept.size()) < wanted;
    };
    const std::size_t guess = balance ? corners.size() : 4 * static_cast<std::size_t>(wanted);
    visit_strongest_first(
        corners, guess, [&](const Corner& c) { return taken.at(c.x, c.y); },
        [&](const Corner& c) {
            if (taken.at(c.x, c.y)) return true;
            if (balance) {
                int& held = cells.held(c.x, c.y);
                if (held >= share) {
                    waiting.push_back(c);
                    return true;
                }
                ++held;
            }
            return keep(c);
        });
    while (static_cast<int>(kept.size()) < wanted && !waiting.empty()) {
        // Cells that still have corners to give; each gets an equal part of what is left.
        std::vector<Corner> next;
        Cells rich(width, height, options.cells);
        int n_rich = 0, least_held = no_limit;
        for (const Corner& c : waiting) {
            if (taken.at(c.x, c.y) || ++rich.held(c.x, c.y) > 1) continue;
            ++n_rich;
            least_held = std::min(least_held, cells.held(c.x, c.y));
        }
        if (n_rich == 0) break;
        share = std::max(share, least_held) +
                divide_up(wanted - static_cast<int>(kept.size()), n_rich);
        for (const Corner& c : waiting) {
            if (taken.at(c.x, c.y)) continue;
            int& held = cells.held(c.x, c.y);
            if (held >= share) {
                next.push_back(c);
                continue;
            }
            ++held;
            if (!keep(c)) break;
        }
        waiting.swap(next);
    }

    std::sort(kept.begin(), kept.end(), stronger);
    out.clear();
    out.reserve(kept.size());
    for (const Corner& c : kept)
        out.push_back({{double(c.x), double(c.y)}, c.strength * score_scale});
}

}  // namespace trackcore
