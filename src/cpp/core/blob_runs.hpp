// Runs of foreground pixels and what they are connected to; no label image.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace trackcore {

/// Pixels [x0, x1) of row y, all above the background or all below it.
struct BlobRun {
    std::int32_t x0, x1, y;
    std::int32_t blob;  ///< while linking: another run of the same blob, or this one
    bool over;
};

/// A connected group of runs.
struct BlobBox {
    std::int32_t x0, y0, x1, y1;  ///< pixels [x0, x1) x [y0, y1)
    std::int32_t area;
    std::int32_t first_run, n_runs;  ///< in `BlobRuns::by_blob`
};

/// Collects runs row by row, top to bottom, and links those no more than `gap` pixels apart.
///
/// Two runs are linked where neither in x nor in y more than `gap` background pixels lie between
/// them, so 0 means eight neighbours. Union-find over runs (Wu, Otoo & Suzuki 2009). All memory is
/// reserved up front; what exceeds it is left out and `overflowed` says so.
class BlobRuns {
  public:
    /// Makes room for pictures of this height and so many runs.
    void reserve(int height, int most_runs);

    void start(int gap);
    /// Adds the runs of one row of a bit mask of `words` words whose first bit is column x0.
    void add_row(int y, int x0, const std::uint64_t* over, const std::uint64_t* under, int words);
    /// Groups the runs; from here on `blob` of a run is the index of its blob, or -1 where that has
    /// fewer than `least_area` pixels.
    void finish(int least_area);

    bool overflowed() const { return overflowed_; }
    std::span<const BlobRun> runs() const { return runs_; }
    std::span<const BlobBox> blobs() const { return blobs_; }
    /// Indices of runs, those of one blob together.
    std::span<const std::int32_t> by_blob() const { return by_blob_; }
    std::size_t capacity() const;

  private:
    void link(std::int32_t run);
    std::int32_t root(std::int32_t run);

    int gap_ = 0;
    bool overflowed_ = false;
    std::int32_t last_row_ = -1;
    std::vector<BlobRun> runs_;
    std::vector<std::int32_t> row_first_;  // by y: first run of the row, for rows seen so far
    std::vector<std::int32_t> cursor_;     // by rows back: first run that can still touch
    std::vector<BlobBox> blobs_;
    std::vector<std::int32_t> by_blob_;
    std::vector<std::int32_t> area_;  // by root
};

}  // namespace trackcore
