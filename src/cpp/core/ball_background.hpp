// What the picture looks like without a ball, and how noisy it is; learnt frame by frame.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/arena.hpp"
#include "core/blob_runs.hpp"
#include "core/simd/balls.hpp"

namespace trackcore {

struct PixelBox {
    int x0, y0, x1, y1;  ///< pixels [x0, x1) x [y0, y1)
};

/// Background in fixed point (8.8 bits), noise per block of 64 x 16 pixels, and the last two
/// frames.
///
/// The background is a running mean that foreground does not enter and outliers enter cut off. All
/// rows learn from each of the first frames; later one row in eight from each, eight times as much.
/// Noise is the mean difference of a pixel in time, cut off where a ball may have passed.
class BallBackground {
  public:
    struct Options {
        double threshold_sigma;  ///< foreground differs by more than this times the noise
        double min_contrast;     ///< and by more than this [grey levels]
        double rate;             ///< share of the background that a frame replaces
    };

    static constexpr int noise_rows = 16;  ///< rows that share an estimate of the noise
    static constexpr int turns = 8;        ///< a row learns from one frame in so many

    /// Forgets everything; frames are this large from here on.
    void reset(int width, int height, const Options& options);

    int width() const { return width_; }
    int height() const { return height_; }
    int blocks() const { return blocks_; }
    /// Frames learnt from so far.
    int n_frames() const { return n_frames_; }

    /// Makes room for a frame: what was `now` becomes `before`.
    void next();
    /// Where row y of a frame that has to be copied goes.
    std::uint8_t* room(int y) { return frames_[now_] + row(y); }
    /// The frame need not be copied: until `release`, `now` is this. Its rows are whole blocks.
    void borrow(const std::uint8_t* frame, std::ptrdiff_t stride);
    void release() { borrowed_ = nullptr; }
    bool borrowed() const { return borrowed_ != nullptr; }
    /// Of a borrowed frame, copies what the next one will ask for of blocks [begin, end) of row y:
    /// rows that learn then, and blocks with foreground (null: everything).
    void keep(int y, int begin, int end, const std::uint64_t* over, const std::uint64_t* under);

    const std::uint8_t* now(int y) const {
        return borrowed_ != nullptr ? borrowed_ + y * borrowed_stride_ : frames_[now_] + row(y);
    }
    /// The frame before; only where it was kept.
    const std::uint8_t* before(int y) const { return kept_row(1 - now_, y); }
    /// The same for one block: the background where nothing was kept, for it was that.
    const std::uint8_t* before(int y, int block) const {
        return kept_[1 - now_][place(block, y)] != 0 ? before(y) : high_ + row(y);
    }
    std::uint8_t* high(int y) { return high_ + row(y); }
    const std::uint8_t* high(int y) const { return high_ + row(y); }
    std::uint8_t* low(int y) { return low_ + row(y); }
    const std::uint8_t* low(int y) const { return low_ + row(y); }
    const std::uint8_t* limits(int y) const { return limit_.data() + cell(0, y); }
    double sigma(int x, int y) const {
        return static_cast<double>(sigma_[cell(x / simd::ball_block, y)]);
    }

    /// Asks for the pixels of a box and around it, which are needed soon: by now the frame has gone
    /// through the caches.
    void fetch(const BlobBox& box) const;

    /// The first frame, all of `now`, becomes the background.
    void start();
    /// Estimates the noise of the whole frame from `now` and `before`, columns [x0, x1) of each
    /// row: the second frame's task.
    void start_noise(std::span<const PixelBox> rows);
    /// Whether row y learns from this frame.
    bool learns(int y) const { return learns(y, n_frames_); }
    /// Learns from blocks [begin, end) of row y of `now`. `foreground` counts this row's
    /// foreground pixels by block (null: none); `all`: nothing is foreground.
    void learn(int y, int begin, int end, const std::uint64_t* over, const std::uint64_t* under,
               bool all);
    /// Ends the frame: noise and limits from what was learnt.
    void finish();

    /// What lies at pixels [x0, x1) of a row is background now, or `share` of it.
    void accept(int y, int x0, int x1, double share);

    std::size_t capacity() const;

  private:
    std::ptrdiff_t row(int y) const { return static_cast<std::ptrdiff_t>(y) * stride_; }
    std::size_t place(int block, int y) const {
        return static_cast<std::size_t>(y) * blocks_ + block;
    }
    bool learns(int y, int frame) const;
    /// Where row y of a frame was copied to. Rows that the next frame learns from lie close
    /// together and are written over every second frame: they stay in the cache, which planes do
    /// not.
    std::uint8_t* kept_row(int frame, int y) const {
        const bool apart = turn_[frame] >= 0 && (y + turn_[frame]) % turns == 0;
        return apart ? lines_[frame] + row(y / turns) : frames_[frame] + row(y);
    }
    std::size_t cell(int block, int y) const {
        return static_cast<std::size_t>(y / noise_rows) * blocks_ + block;
    }
    double share() const;  ///< of the background that a row's pixels replace in this frame
    void update_cells(std::size_t cell_row);
    void set_limits(std::size_t begin, std::size_t end);

    Options options_{};
    int width_ = 0, height_ = 0, blocks_ = 0, n_frames_ = 0, now_ = 0;
    int rate_ = 0;  // what this frame's rows teach, in 1 / 2^16
    std::ptrdiff_t stride_ = 0;
    Arena arena_;
    std::uint8_t *frames_[2] = {}, *lines_[2] = {}, *high_ = nullptr, *low_ = nullptr;
    int turn_[2] = {-1, -1};  // (y + this) % turns == 0: the row is in `lines_`; -1: none is
    const std::uint8_t* borrowed_ = nullptr;
    std::ptrdiff_t borrowed_stride_ = 0;
    std::vector<std::uint8_t> kept_[2];  // by block of a row: whether `frames_` has it
    // by cell
    std::vector<float> sigma_;
    std::vector<std::uint8_t> limit_, noise_, everything_;
    std::vector<std::int16_t> step_, any_step_;
    std::vector<std::uint32_t> sum_, count_;
};

}  // namespace trackcore
