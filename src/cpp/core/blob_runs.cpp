#include "core/blob_runs.hpp"

#include <algorithm>
#include <bit>

namespace trackcore {
namespace {

constexpr int word_bits = 64;
constexpr int most_gap = 16;

/// First bit at or after `from` that is set in the mask `word(i)`; the end if there is none.
template <class Word>
int next_bit(Word word, int words, int from) {
    int i = from / word_bits;
    if (i >= words) return words * word_bits;
    std::uint64_t bits = word(i) >> (from % word_bits);
    if (bits != 0) return from + std::countr_zero(bits);
    for (++i; i < words; ++i)
        if (const std::uint64_t next = word(i)) return i * word_bits + std::countr_zero(next);
    return words * word_bits;
}

}  // namespace

void BlobRuns::reserve(int height, int most_runs) {
    runs_.reserve(most_runs);
    by_blob_.reserve(most_runs);
    area_.reserve(most_runs);
    blobs_.reserve(most_runs);
    row_first_.assign(height + 1, 0);
    cursor_.assign(most_gap + 1, 0);
}

std::size_t BlobRuns::capacity() const {
    return runs_.capacity() + by_blob_.capacity() + area_.capacity() + blobs_.capacity() +
           row_first_.capacity() + cursor_.capacity();
}

void BlobRuns::start(int gap) {
    gap_ = std::min(gap, most_gap);
    overflowed_ = false;
    last_row_ = -1;
    runs_.clear();
    blobs_.clear();
    by_blob_.clear();
}

std::int32_t BlobRuns::root(std::int32_t run) {
    while (runs_[run].blob != run) {
        runs_[run].blob = runs_[runs_[run].blob].blob;
        run = runs_[run].blob;
    }
    return run;
}

void BlobRuns::link(std::int32_t run) {
    const BlobRun here = runs_[run];
    std::int32_t own = root(run);
    const auto join = [&](std::int32_t other) {
        const std::int32_t theirs = root(other);
        const auto [low, high] = std::minmax(own, theirs);
        runs_[high].blob = low;  // the first run of a blob is its root: its number says its order
        own = low;
    };
    if (run > row_first_[here.y] && here.x0 - runs_[run - 1].x1 <= gap_) join(run - 1);
    for (int back = 1; back <= gap_ + 1 && here.y - back >= 0; ++back) {
        const std::int32_t end = row_first_[here.y - back + 1];
        std::int32_t& at = cursor_[back - 1];
        while (at < end && here.x0 - runs_[at].x1 > gap_) ++at;
        for (std::int32_t k = at; k < end && runs_[k].x0 - here.x1 <= gap_; ++k) join(k);
    }
}

void BlobRuns::add_row(int y, int x0, const std::uint64_t* over, const std::uint64_t* under,
                       int words) {
    const auto count = static_cast<std::int32_t>(runs_.size());
    while (last_row_ < y) row_first_[++last_row_] = count;
    for (int back = 1; back <= gap_ + 1; ++back)
        cursor_[back - 1] = y - back >= 0 ? row_first_[y - back] : 0;
    const auto any = [&](int i) { return over[i] | under[i]; };
    for (int x = next_bit(any, words, 0); x < words * word_bits; x = next_bit(any, words, x)) {
        if (runs_.size() == runs_.capacity()) {
            overflowed_ = true;
            break;
        }
        const bool is_over = over[x / word_bits] >> (x % word_bits) & 1u;
        const std::uint64_t* sign = is_over ? over : under;
        const int end = next_bit([&](int i) { return ~sign[i]; }, words, x);
        const auto run = static_cast<std::int32_t>(runs_.size());
        runs_.push_back({x0 + x, x0 + end, y, run, is_over});
        link(run);
        x = end;
    }
    row_first_[y + 1] = static_cast<std::int32_t>(runs_.size());
}

void BlobRuns::finish(int least_area) {
    const auto n = static_cast<std::int32_t>(runs_.size());
    area_.assign(n, 0);
    for (std::int32_t i = 0; i < n; ++i) {
        runs_[i].blob = root(i);
        area_[runs_[i].blob] += runs_[i].x1 - runs_[i].x0;
    }
    // Roots come before the runs that point to them, so each run finds its blob already numbered.
    for (std::int32_t i = 0; i < n; ++i) {
        BlobRun& run = runs_[i];
        if (run.blob == i) {
            const std::int32_t area = area_[i];
            run.blob = -1;
            if (area < least_area) {
                area_[i] = -1;
                continue;
            }
            run.blob = area_[i] = static_cast<std::int32_t>(blobs_.size());
            blobs_.push_back({run.x0, run.y, run.x1, run.y + 1, area, 0, 1});
            continue;
        }
        run.blob = area_[run.blob];
        if (run.blob < 0) continue;
        BlobBox& box = blobs_[run.blob];
        box.x0 = std::min(box.x0, run.x0);
        box.x1 = std::max(box.x1, run.x1);
        box.y1 = run.y + 1;
        ++box.n_runs;
    }
    std::int32_t next = 0;
    for (BlobBox& box : blobs_) box.first_run = next, next += box.n_runs, box.n_runs = 0;
    by_blob_.resize(next);
    for (std::int32_t i = 0; i < n; ++i)
        if (const std::int32_t blob = runs_[i].blob; blob >= 0)
            by_blob_[blobs_[blob].first_run + blobs_[blob].n_runs++] = i;
}

}  // namespace trackcore
