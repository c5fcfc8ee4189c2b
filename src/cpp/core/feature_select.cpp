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
        if (!(first_row <= last_row)) return;
        for (int y = static_cast<int>(first_row); y <= static_cast<int>(last_row); ++y) {
            const double dy = y - p.y;
            const double half = std::sqrt(std::max(distance_ * distance_ - dy * dy, 0.0)) + 1.0;
            double first = std::max(std::ceil(p.x - half), 0.0);
            double last = std::min(std::floor(p.x + half), width_ - 1.0);
            while (first <= last && !near(first - p.x, dy)) first += 1.0;
            while (first <= last && !near(last - p.x, dy)) last -= 1.0;
            if (first <= last) set(y, static_cast<int>(first), static_cast<int>(last));
        }
    }

  private:
    // Kept from call to call: fresh memory of this size costs more than filling it.
    static std::vector<std::uint64_t>& bits() {
        thread_local std::vector<std::uint64_t> memory;
        return memory;
    }
    std::uint64_t word(int x, int y) const {
        return bits()[static_cast<std::size_t>(y) * words_a_row_ +
                      static_cast<std::size_t>(x) / 64];
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

    Cells empty_copy() const { return {width_, height_, columns_}; }
    int count() const { return static_cast<int>(held_.size()); }
    int& held(int x, int y) { return held_[cell(x, y)]; }

    /// Gives every cell its part of the features, as the weight at its middle says.
    void weigh(const WeightView& weights) {
        before_.assign(1, 0.0);
        for (int row = 0; row < rows_; ++row)
            for (int column = 0; column < columns_; ++column) {
                const int x = (2 * column + 1) * weights.width / (2 * columns_);
                const int y = (2 * row + 1) * weights.height / (2 * rows_);
                const float part = weights.data[y * weights.width + x] / weights.mean;
                before_.push_back(before_.back() + part);
            }
    }
    /// How many a cell may hold where the average cell may hold `share`. What rounding takes from
    /// one cell it gives to the next, so that their sum is right.
    int limit(int x, int y, int share) const {
        if (before_.empty()) return share;
        const std::size_t i = cell(x, y);
        const double n = std::floor(share * before_[i + 1]) - std::floor(share * before_[i]);
        return static_cast<int>(std::min(n, double(std::numeric_limits<int>::max())));
    }
    /// Whether a cell may hold any at all.
    bool open(int x, int y) const {
        const std::size_t i = before_.empty() ? 0 : cell(x, y);
        return before_.empty() || before_[i + 1] > before_[i];
    }
    bool weighted() const { return !before_.empty(); }

  private:
    std::size_t cell(int x, int y) const {
        const auto column = static_cast<std::int64_t>(x) * columns_ / width_;
        const auto row = static_cast<std::int64_t>(y) * rows_ / height_;
        return static_cast<std::size_t>(row * columns_ + column);
    }

    int width_, height_, columns_, rows_;
    std::vector<int> held_;
    std::vector<double> before_;  // parts of all cells before one; empty: all alike
};

bool in_frame(Vec2 p, int width, int height) {
    return p.x >= -0.5 && p.y >= -0.5 && p.x < width - 0.5 && p.y < height - 0.5;
}

int divide_up(int a, int b) { return (a + b - 1) / b; }

/// What was chosen so far, and what may no longer be.
class Selection {
  public:
    Selection(int width, int height, const FeatureOptions& options,
              std::span<const Vec2> existing_px, const WeightView* weights)
        : wanted_(options.max_features > 0 ? options.max_features : no_limit),
          taken_(width, height, options.min_distance),
          cells_(width, height, std::max(options.cells, 1)) {
        int n_existing = 0;
        for (const Vec2& p : existing_px) {
            if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
            taken_.take(p);
            if (!in_frame(p, width, height)) continue;
            ++cells_.held(static_cast<int>(p.x + 0.5), static_cast<int>(p.y + 0.5));
            ++n_existing;
        }
        if (options.cells > 0 && wanted_ != no_limit)
            share_ = divide_up(n_existing + wanted_, cells_.count());
        if (weights != nullptr && share_ != no_limit) cells_.weigh(*weights);
    }

    /// Strongest first; while cells are balanced, weak corners of poor cells may be needed too.
    void choose(const std::vector<Corner>& corners) {
        const std::size_t n_likely =
            share_ == no_limit ? 4 * static_cast<std::size_t>(wanted_) : corners.size();
        visit_strongest_first(
            corners, n_likely, [&](const Corner& c) { return taken_.at(c.x, c.y); },
            [&](const Corner& c) { return offer(c, waiting_); });
        while (!full() && !waiting_.empty()) {
            raise_share();
            std::vector<Corner> still_waiting;
            for (const Corner& c : waiting_)
                if (!offer(c, still_waiting)) break;
            waiting_.swap(still_waiting);
        }
    }

    std::vector<Corner>& kept() { return kept_; }

  private:
    static constexpr int no_limit = std::numeric_limits<int>::max();

    bool full() const { return static_cast<int>(kept_.size()) >= wanted_; }

    /// Keeps a corner unless it is too near to another; if its cell has its share, it waits.
    /// False when no more are wanted.
    bool offer(const Corner& c, std::vector<Corner>& waiting) {
        if (taken_.at(c.x, c.y)) return true;
        int& held = cells_.held(c.x, c.y);
        if (held >= cells_.limit(c.x, c.y, share_)) {
            if (cells_.open(c.x, c.y)) waiting.push_back(c);
            return true;
        }
        ++held;
        kept_.push_back(c);
        taken_.take(c.x, c.y);
        return !full();
    }

    /// Divides what poor cells left among those that still have corners to give.
    void raise_share() {
        Cells seen = cells_.empty_copy();
        int n_rich = 0, least_held = no_limit;
        for (const Corner& c : waiting_) {
            if (taken_.at(c.x, c.y) || seen.held(c.x, c.y)++ > 0) continue;
            ++n_rich;
            least_held = std::min(least_held, cells_.held(c.x, c.y));
        }
        if (n_rich == 0) return;
        if (cells_.weighted()) least_held = 0;  // what they hold is no common share
        const int left = wanted_ - static_cast<int>(kept_.size());
        share_ = std::max(share_, least_held) + divide_up(left, n_rich);
    }

    int wanted_;
    int share_ = no_limit;  // of each cell
    Taken taken_;
    Cells cells_;
    std::vector<Corner> kept_, waiting_;
};

}  // namespace

void select_features(const std::vector<Corner>& corners, int width, int height, float score_scale,
                     const FeatureOptions& options, std::span<const Vec2> existing_px,
                     const WeightView* weights, std::vector<Feature>& out) {
    Selection selection(width, height, options, existing_px, weights);
    selection.choose(corners);
    std::sort(selection.kept().begin(), selection.kept().end(), stronger);
    out.clear();
    out.reserve(selection.kept().size());
    for (const Corner& c : selection.kept())
        out.push_back({{double(c.x), double(c.y)}, c.strength * score_scale});
}

}  // namespace trackcore
