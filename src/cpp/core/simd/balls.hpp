// Kernels of ball detection: rows in blocks of 64 pixels, one bit per pixel. Integers, the same
// bits at every CPU level.
#pragma once

#include <cstdint>

#include "core/simd/dispatch.hpp"

namespace trackcore::simd {

inline constexpr int ball_block = 64;  ///< pixels that share a limit; rows are whole blocks

/// What a block of a row is judged by, one entry per block.
struct BallLimits {
    const std::uint8_t* foreground;  ///< a pixel that differs by more is foreground
    const std::uint8_t* noise;       ///< a larger difference in time counts as this much
    const std::int16_t* step;        ///< a larger difference teaches as much as this [1/128 grey]
};

/// A row of the background: 256 high + low = 256 grey + 128, so that `high` is grey rounded.
struct BallBase {
    std::uint8_t* high;
    std::uint8_t* low;
};

struct BallKernels {
    /// Sets the bits of pixels with now - base > limit (`over`) and base - now > limit (`under`).
    /// Returns how many there are.
    int (*compare)(const std::uint8_t* now, const std::uint8_t* base, const std::uint8_t* limit,
                   int blocks, std::uint64_t* over, std::uint64_t* under);

    /// Where a pixel is not foreground: moves the base towards it by rate / 2^16 of the difference,
    /// and adds |now - before| to the block's sum.
    void (*learn)(const std::uint8_t* now, const std::uint8_t* before, const BallLimits& limits,
                  int blocks, int rate, const BallBase& base, std::uint32_t* sums);

    /// Every second byte: the luma of YUYV.
    void (*every_second)(const std::uint8_t* src, int n, std::uint8_t* dst);
};

}  // namespace trackcore::simd

TRACKCORE_DECLARE_KERNELS(BallKernels, ball_kernels)
