#include "core/frame_stats.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <type_traits>

#include "core/simd/frame_stats.hpp"
#include "core/threads.hpp"

TRACKCORE_DEFINE_KERNELS(FrameStatsKernels, frame_stats_kernels)

namespace trackcore {
namespace {

constexpr int exact_rows = 128;  // 128 * 255^2 < 2^24: sums of 8-bit pixels are exact in float

constexpr int strip_columns = 512;  // six sums of them and four rows stay in the first cache

/// First pixel of block i of n.
int block_begin(int i, int n, int size) {
    return static_cast<int>((2 * static_cast<std::int64_t>(i) * size + n - 1) / (2 * n));
}

const simd::RowKernels<float>& row_kernels(float) { return simd::frame_stats_kernels().narrow; }
const simd::RowKernels<double>& row_kernels(double) { return simd::frame_stats_kernels().wide; }

void as_floats(const std::uint8_t* src, int n, float* dst) {
    simd::frame_stats_kernels().widen_u8(src, n, dst);
}
void as_floats(const std::uint16_t* src, int n, float* dst) {
    simd::frame_stats_kernels().widen_u16(src, n, dst);
}
void as_floats(const float* src, int n, float* dst) { std::copy_n(src, n, dst); }

/// The group that makes a measure.
constexpr unsigned group_of(int measure) {
    return measure < FrameStats::rough    ? group_moments
           : measure == FrameStats::rough ? group_rough
                                          : group_slopes;
}
constexpr bool needs_neighbours(int measure) { return measure >= FrameStats::rough; }

/// Measures rows of blocks of one pixel type.
template <class Pixel>
class Measurer {
  public:
    using Sum = std::conditional_t<std::is_same_v<Pixel, std::uint8_t>, float, double>;

    Measurer(const ImageView& image, const FrameStatsOptions& options, FrameStats& out)
        : image_(image), options_(options), out_(out), totals_(options.columns) {
        const int widest = (image.width + options.columns - 1) / options.columns + 1;
        room_ = std::max(widest, strip_columns) + 2;
        rows_.resize(std::size_t{4} * room_);
        sums_.resize(std::size_t{FrameStats::measures} * room_);
    }

    /// Measures a row of blocks: strip by strip of as many blocks as fit, but at least one.
    void measure(int block_row) {
        const int y0 = block_begin(block_row, options_.rows, image_.height);
        const int y1 = block_begin(block_row + 1, options_.rows, image_.height);
        const int step = options_.row_step, offset = step / 2;
        const int first = offset + std::max(0, (y0 - offset + step - 1) / step) * step;
        for (int i = 0; i < options_.columns;) {
            int j = i + 1;
            while (j < options_.columns && column(j + 1) - column(i) <= strip_columns) ++j;
            measure_strip(i, j, first, y1);
            for (; i < j; ++i) finish(block_row, i, first, y1);
        }
    }

    const std::int64_t* histogram() const { return histogram_; }

  private:
    /// First pixel of a column of blocks.
    int column(int block) const { return block_begin(block, options_.columns, image_.width); }
    bool wanted(unsigned group) const { return (options_.groups & group) != 0; }
    bool is_inner(int y) const { return y > 0 && y < image_.height - 1; }
    float* row(int i) { return rows_.data() + static_cast<std::ptrdiff_t>(i) * room_; }
    Sum* sums(int measure) { return sums_.data() + static_cast<std::ptrdiff_t>(measure) * room_; }

    void measure_strip(int block, int block_end, int first, int y1) {
        for (int i = block; i < block_end; ++i)
            std::fill_n(totals_[i].sum, FrameStats::measures, 0.0);
        begin_ = std::max(column(block) - 1, 0);
        n_ = std::min(column(block_end) + 1, image_.width) - begin_;
        int pending = 0;
        int sampled = first / options_.row_step;
        for (int y = first; y < y1; y += options_.row_step, ++sampled) {
            add(y);
            if (wanted(group_histogram) && sampled % FrameStats::histogram_step == 0)
                count(y, column(block), column(block_end));
            if (++pending < exact_rows) continue;
            flush(block, block_end);
            pending = 0;
        }
        flush(block, block_end);
    }

    void add(int y) {
        const simd::RowKernels<Sum>& kernels = row_kernels(Sum{});
        using Stats = FrameStats;
        as_floats(image_.row<Pixel>(y) + begin_, n_, row(1));
        if (wanted(group_moments))
            kernels.moments(row(1), n_, sums(Stats::mean), sums(Stats::variance));
        if (!is_inner(y) || !wanted(group_rough | group_slopes)) return;
        as_floats(image_.row<Pixel>(y - 1) + begin_, n_, row(0));
        as_floats(image_.row<Pixel>(y + 1) + begin_, n_, row(2));
        if (wanted(group_rough))
            kernels.rough(row(0), row(1), row(2), n_, row(3), sums(Stats::rough));
        const float edge = 4.0f * options_.edge * options_.edge;  // of differences over two pixels
        if (wanted(group_slopes))
            kernels.slopes(row(0), row(1), row(2), n_, edge, sums(Stats::across), sums(Stats::down),
                           sums(Stats::edges));
    }

    int bin(float level) const {
        constexpr float last = FrameStats::bins - 1;
        const float at = level * (FrameStats::bins / options_.white);
        return static_cast<int>(at < 0.0f ? 0.0f : at > last ? last : at);
    }

    /// Neighbouring pixels often have one level: four counters keep them from waiting on another.
    void count(int y, int x0, int x1) {
        const Pixel* levels = image_.row<Pixel>(y);
        if constexpr (std::is_same_v<Pixel, std::uint8_t>) {
            for (int x = x0; x < x1; ++x) counters_[x % 4][levels[x]] += 1;
        } else {
            for (int x = x0; x < x1; ++x) {
                const auto level = static_cast<float>(levels[x]);
                if (!std::isnan(level)) histogram_[bin(level)] += 1;
            }
        }
    }

    /// Moves the sums of columns, and the counters, to where they do not overflow.
    void flush(int block, int block_end) {
        for (int m = 0; m < FrameStats::measures; ++m) {
            if (!wanted(group_of(m))) continue;
            for (int i = block; i < block_end; ++i) {
                const auto [begin, end] = columns_of(i, m);
                double total = 0.0;
                for (int x = begin; x < end; ++x) total += static_cast<double>(sums(m)[x - begin_]);
                totals_[i].sum[m] += total;
            }
            std::fill_n(sums(m), n_, Sum{0});
        }
        if (!std::is_same_v<Pixel, std::uint8_t> || !wanted(group_histogram)) return;
        for (int i = 0; i < 256; ++i)
            for (auto& counter : counters_)
                histogram_[bin(static_cast<float>(i))] += counter[i], counter[i] = 0;
    }

    std::pair<int, int> columns_of(int block, int measure) const {
        if (!needs_neighbours(measure)) return {column(block), column(block + 1)};
        return {std::max(column(block), 1), std::min(column(block + 1), image_.width - 1)};
    }

    void finish(int block_row, int block, int first, int y1) {
        int seen = 0, inner = 0;
        for (int y = first; y < y1; y += options_.row_step) seen += 1, inner += is_inner(y);
        double value[FrameStats::measures];
        for (int m = 0; m < FrameStats::measures; ++m) {
            const auto [begin, end] = columns_of(block, m);
            const double n = static_cast<double>(std::max(end - begin, 0)) *
                             (needs_neighbours(m) ? inner : seen);
            const bool known = n > 0 && wanted(group_of(m));
            value[m] = known ? totals_[block].sum[m] / n : std::numeric_limits<double>::quiet_NaN();
        }
        const double mean = value[FrameStats::mean];
        double& variance = value[FrameStats::variance];
        variance -= mean * mean;
        if (variance < 0.0) variance = 0.0;  // a flat block's rounding
        value[FrameStats::across] /= 4.0;    // differences over two pixels
        value[FrameStats::down] /= 4.0;
        const std::size_t at = static_cast<std::size_t>(block_row) * options_.columns + block;
        for (int m = 0; m < FrameStats::measures; ++m) out_.measure[m][at] = value[m];
    }

    struct Totals {
        double sum[FrameStats::measures];
    };

    const ImageView& image_;
    const FrameStatsOptions& options_;
    FrameStats& out_;
    int room_ = 0;                // for the columns of a strip and one on either side
    int begin_ = 0, n_ = 0;       // the columns at work
    std::vector<float> rows_;     // above, here, below, scratch
    std::vector<Sum> sums_;       // by measure and column
    std::vector<Totals> totals_;  // by block
    std::int32_t counters_[4][256] = {};
    std::int64_t histogram_[FrameStats::bins] = {};
};

template <class Pixel>
void measure_all(const ImageView& image, const FrameStatsOptions& options, int threads,
                 FrameStats& out) {
    std::mutex mutex;  // guards the histogram
    const int grain = (options.rows + 15) / 16;
    parallel_for(options.rows, grain, threads, [&](int begin, int end) {
        Measurer<Pixel> measurer(image, options, out);
        for (int i = begin; i < end; ++i) measurer.measure(i);
        const std::lock_guard lock(mutex);
        for (int i = 0; i < FrameStats::bins; ++i) out.histogram[i] += measurer.histogram()[i];
    });
}

}  // namespace

void frame_stats(const ImageView& image, const FrameStatsOptions& options, int threads,
                 FrameStats& out) {
    const std::size_t n = static_cast<std::size_t>(options.columns) * options.rows;
    for (auto& values : out.measure) values.assign(n, 0.0);
    std::fill(std::begin(out.histogram), std::end(out.histogram), 0);
    switch (image.type) {
        case PixelType::u8:
            return measure_all<std::uint8_t>(image, options, threads, out);
        case PixelType::u16:
            return measure_all<std::uint16_t>(image, options, threads, out);
        case PixelType::f32:
            return measure_all<float>(image, options, threads, out);
    }
}

}  // namespace trackcore
