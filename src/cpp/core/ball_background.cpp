#include "core/ball_background.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

TRACKCORE_DEFINE_KERNELS(BallKernels, ball_kernels)

namespace trackcore {
namespace {

constexpr int block = simd::ball_block;
constexpr int early_frames = 16;        // all rows learn from these
constexpr double sigma_rate = 0.25;     // of each visit, once in `turns` frames
constexpr float least_sigma = 0.3f;     // what rounding to whole grey levels leaves
constexpr double mean_change = 1.1284;  // E|a - b| of two pixels with noise 1: 2 / sqrt(pi)
constexpr double outlier = 3.0;         // changes above this times their own sigma count as that

}  // namespace

void BallBackground::reset(int width, int height, const Options& options) {
    options_ = options;
    width_ = width;
    height_ = height;
    blocks_ = (width + block - 1) / block;
    // an odd number of cache lines: rows do not all fall on the same ones
    stride_ = static_cast<std::ptrdiff_t>(blocks_ | 1) * block;
    const std::size_t plane = static_cast<std::size_t>(stride_) * height;
    const std::size_t lines = static_cast<std::size_t>(stride_) * ((height + turns - 1) / turns);
    arena_.reserve(4 * plane + 2 * lines);
    auto* bytes = reinterpret_cast<std::uint8_t*>(arena_.data());
    std::memset(bytes, 0, 4 * plane + 2 * lines);
    frames_[0] = bytes, frames_[1] = bytes + plane;
    high_ = bytes + 2 * plane, low_ = bytes + 3 * plane;
    lines_[0] = bytes + 4 * plane, lines_[1] = lines_[0] + lines;
    turn_[0] = turn_[1] = -1;
    for (auto& kept : kept_) kept.assign(place(0, height), 1);
    const std::size_t cells =
        static_cast<std::size_t>((height + noise_rows - 1) / noise_rows) * blocks_;
    sigma_.assign(cells, least_sigma);
    limit_.assign(cells, 255);
    noise_.assign(cells, 255);
    step_.assign(cells, 32767);
    everything_.assign(cells, 255);
    any_step_.assign(cells, 32767);
    sum_.assign(cells, 0);
    count_.assign(cells, 0);
    n_frames_ = 0;
    now_ = 0;
}

std::size_t BallBackground::capacity() const {
    return kept_[0].capacity() + kept_[1].capacity() + sigma_.capacity() + limit_.capacity() +
           noise_.capacity() + step_.capacity() + everything_.capacity() + any_step_.capacity() +
           sum_.capacity() + count_.capacity();
}

void BallBackground::next() {
    now_ = 1 - now_;
    turn_[now_] = -1;
    rate_ = static_cast<int>(std::min(share(), 0.4999) * 65536.0);
}

void BallBackground::borrow(const std::uint8_t* frame, std::ptrdiff_t stride) {
    borrowed_ = frame, borrowed_stride_ = stride;
    const int next = n_frames_ + 1;
    turn_[now_] = next < early_frames ? -1 : next % turns;
}

void BallBackground::start() {
    for (int y = 0; y < height_; ++y) {
        std::memcpy(high(y), now(y), static_cast<std::size_t>(width_));
        std::memset(low(y), 0x80, static_cast<std::size_t>(stride_));
    }
    n_frames_ = 1;
}

void BallBackground::start_noise(std::span<const PixelBox> rows) {
    std::uint32_t counts[256] = {};
    std::int64_t n = 0;
    for (int y = 0; y < height_; y += 4) {
        const std::uint8_t *a = now(y), *b = before(y);
        for (int x = rows[y].x0 + y / 4 % 3; x < rows[y].x1; x += 3, ++n)
            counts[a[x] > b[x] ? a[x] - b[x] : b[x] - a[x]]++;
    }
    // The mean below the level that nine tenths stay below: a ball, or what else moves, is above.
    if (n == 0) return;
    std::int64_t below = 0;
    double sum = 0.0;
    int level = 0;
    for (; level < 255 && below + counts[level] <= n * 9 / 10; ++level) {
        below += counts[level];
        sum += static_cast<double>(counts[level]) * level;
    }
    const double rest = static_cast<double>(n) * 0.9 - static_cast<double>(below);
    const double mean = (sum + rest * level) / (static_cast<double>(n) * 0.9);
    constexpr double trimmed_mean = 0.929;  // of |x - y| of unit noise, the largest tenth left out
    std::fill(sigma_.begin(), sigma_.end(),
              std::max(static_cast<float>(mean / trimmed_mean), least_sigma));
    set_limits(0, sigma_.size());
}

bool BallBackground::learns(int y, int frame) const {
    return frame < early_frames || (y + frame) % turns == 0;
}

void BallBackground::keep(int y, int begin, int end, const std::uint64_t* over,
                          const std::uint64_t* under) {
    const std::uint8_t* from = now(y);
    std::uint8_t *to = kept_row(now_, y), *kept = kept_[now_].data() + place(0, y);
    if (over == nullptr || learns(y, n_frames_ + 1)) {
        std::memcpy(to + begin * block, from + begin * block,
                    static_cast<std::size_t>(end - begin) * block);
        std::memset(kept + begin, 1, static_cast<std::size_t>(end - begin));
        return;
    }
    for (int i = begin; i < end; ++i) {
        kept[i] = (over[i] | under[i]) != 0;
        if (kept[i] != 0) std::memcpy(to + i * block, from + i * block, block);
    }
}

double BallBackground::share() const {
    const double once = std::max(options_.rate, 1.0 / (n_frames_ + 1));
    return n_frames_ < early_frames ? once : 1.0 - std::pow(1.0 - once, turns);
}

void BallBackground::learn(int y, int begin, int end, const std::uint64_t* over,
                           const std::uint64_t* under, bool all) {
    const std::size_t at = cell(begin, y);
    const simd::BallLimits limits{(all ? everything_ : limit_).data() + at, noise_.data() + at,
                                  (all ? any_step_ : step_).data() + at};
    const std::ptrdiff_t x = static_cast<std::ptrdiff_t>(begin) * block;
    simd::ball_kernels().learn(now(y) + x, before(y) + x, limits, end - begin, rate_,
                               {high(y) + x, low(y) + x}, sum_.data() + at);
    for (int i = begin; i < end; ++i) {
        const int inside = std::min(block, width_ - i * block);
        const int foreground = over == nullptr || all ? 0 : std::popcount(over[i] | under[i]);
        count_[cell(i, y)] += static_cast<std::uint32_t>(inside - foreground);
    }
}

void BallBackground::finish() {
    ++n_frames_;
    // an eighth of the cells: each has by then learnt from all of its rows
    const std::size_t rows = sigma_.size() / blocks_;
    for (std::size_t row = n_frames_ % turns; row < rows; row += turns) update_cells(row);
}

void BallBackground::update_cells(std::size_t cell_row) {
    const std::size_t first = cell_row * blocks_;
    for (std::size_t i = first; i < first + blocks_; ++i) {
        if (count_[i] >= block / 2) {
            const double mean = static_cast<double>(sum_[i]) / static_cast<double>(count_[i]);
            const float measured = static_cast<float>(mean / mean_change);
            sigma_[i] += static_cast<float>(sigma_rate) * (measured - sigma_[i]);
            sigma_[i] = std::max(sigma_[i], least_sigma);
        }
        sum_[i] = count_[i] = 0;
    }
    set_limits(first, first + blocks_);
}

void BallBackground::set_limits(std::size_t begin, std::size_t end) {
    // the background has noise of its own, at first as much as a frame
    const double own = share() / (2.0 - share());  // 1 / n in the running mean of n frames
    const double times = options_.threshold_sigma * std::sqrt(1.0 + own);
    for (std::size_t i = begin; i < end; ++i) {
        const double sigma = static_cast<double>(sigma_[i]);
        const double least = std::max(options_.min_contrast, times * sigma);
        limit_[i] = static_cast<std::uint8_t>(std::min(std::ceil(least), 255.0));
        const double most = outlier * std::sqrt(2.0) * sigma;
        noise_[i] = static_cast<std::uint8_t>(std::clamp(std::ceil(most), 2.0, 255.0));
        const double step = 128.0 * std::max(2.0 * sigma, 1.0);
        step_[i] = static_cast<std::int16_t>(std::min(step, 32767.0));
    }
}

void BallBackground::fetch([[maybe_unused]] const BlobBox& box) const {
#if defined(__GNUC__)
    constexpr int around = 4, most_rows = 64;
    const int x0 = std::max(box.x0 - around, 0), x1 = std::min(box.x1 + around, width_) - 1;
    const int y0 = std::max(box.y0 - around, 0), y1 = std::min(box.y1 + around, height_);
    for (int y = y0; y < std::min(y1, y0 + most_rows); ++y)
        for (const std::uint8_t* plane : {now(y), before(y), high(y), low(y)}) {
            __builtin_prefetch(plane + x0);
            __builtin_prefetch(plane + x1);
        }
#endif
}

void BallBackground::accept(int y, int x0, int x1, double share) {
    std::uint8_t *top = high(y), *rest = low(y);
    const std::uint8_t* seen = now(y);
    for (int x = std::max(x0, 0); x < std::min(x1, width_); ++x) {
        const int old = top[x] << 8 | rest[x], aim = seen[x] << 8 | 0x80;
        const int next = old + static_cast<int>(std::lround((aim - old) * share));
        top[x] = static_cast<std::uint8_t>(next >> 8);
        rest[x] = static_cast<std::uint8_t>(next & 0xFF);
    }
}

}  // namespace trackcore
