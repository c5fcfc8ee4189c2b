#include "core/arena.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace trackcore {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

struct Block {
    std::byte* data;
    std::size_t capacity;
};

// From half a huge page on, blocks consist of whole ones.
bool of_huge_pages(std::size_t capacity) { return capacity >= huge_page / 2; }

std::align_val_t alignment_of(std::size_t capacity) {
    return std::align_val_t{of_huge_pages(capacity) ? huge_page : Arena::alignment};
}

void release(const Block& block) { ::operator delete(block.data, alignment_of(block.capacity)); }

/// Blocks without a user. Never destroyed: arenas may end after static destructors ran.
struct Shelf {
    std::mutex mutex;
    std::vector<Block> blocks;
    std::size_t bytes = 0;
};

Shelf& shelf();

/// A forked child has no other threads: a lock that one of them held would stay locked for ever.
Shelf* new_shelf() {
#if !defined(_WIN32)
    pthread_atfork([] { shelf().mutex.lock(); }, [] { shelf().mutex.unlock(); },
                   [] { shelf().mutex.unlock(); });
#endif
    return new Shelf;
}

Shelf& shelf() {
    static Shelf& instance = *new_shelf();
    return instance;
}

/// The smallest kept block that fits and is not wastefully large; empty if there is none.
Block take(std::size_t bytes) {
    Shelf& s = shelf();
    const std::lock_guard lock(s.mutex);
    auto best = s.blocks.end();
    for (auto it = s.blocks.begin(); it != s.blocks.end(); ++it)
        if (it->capacity >= bytes && it->capacity <= 4 * bytes &&
            (best == s.blocks.end() || it->capacity < best->capacity))
            best = it;
    if (best == s.blocks.end()) return {nullptr, 0};
    const Block block = *best;
    s.blocks.erase(best);
    s.bytes -= block.capacity;
    return block;
}

Block allocate(std::size_t bytes) {
    if (of_huge_pages(bytes)) bytes = (bytes + huge_page - 1) / huge_page * huge_page;
    auto* data = static_cast<std::byte*>(::operator new(bytes, alignment_of(bytes)));
#if defined(__linux__)
    // A patch touches a page every row or two: huge pages spare most look-ups. Refusal is no error.
    if (of_huge_pages(bytes)) madvise(data, bytes, MADV_HUGEPAGE);
#endif
    return {data, bytes};
}

}  // namespace

Arena::~Arena() { give_back(); }

void Arena::reserve(std::size_t bytes) {
    if (bytes <= capacity_) return;
    give_back();
    Block block = take(bytes);
    if (block.data == nullptr) block = allocate(bytes);
    data_ = block.data;
    capacity_ = block.capacity;
}

void Arena::give_back() {
    if (data_ == nullptr) return;
    const Block mine{data_, capacity_};
    data_ = nullptr;
    capacity_ = 0;
    std::vector<Block> surplus;
    {
        Shelf& s = shelf();
        const std::lock_guard lock(s.mutex);
        s.blocks.push_back(mine);
        s.bytes += mine.capacity;
        while (s.blocks.size() > kept_blocks || s.bytes > kept_bytes) {  // the oldest go first
            surplus.push_back(s.blocks.front());
            s.bytes -= s.blocks.front().capacity;
            s.blocks.erase(s.blocks.begin());
        }
    }
    for (const Block& block : surplus) release(block);
}

}  // namespace trackcore
