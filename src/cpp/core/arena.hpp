// Large blocks of memory that outlive their users, so that a new frame costs no page faults.
#pragma once

#include <cstddef>

namespace trackcore {

/// An aligned block of memory that grows when needed. When an arena ends, its block is kept for
/// the next one (a few, and not more than `kept_bytes` in all), as frames of one clip need blocks
/// of one size over and over.
class Arena {
  public:
    static constexpr std::size_t alignment = 4096;
    static constexpr std::size_t kept_blocks = 8;
    static constexpr std::size_t kept_bytes = std::size_t{256} << 20;

    Arena() = default;
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// Makes at least `bytes` available; what was there before is lost.
    void reserve(std::size_t bytes);
    std::byte* data() const { return data_; }

  private:
    void give_back();

    std::byte* data_ = nullptr;
    std::size_t capacity_ = 0;
};

}  // namespace trackcore
