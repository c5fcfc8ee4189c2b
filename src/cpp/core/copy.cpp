#include "core/copy.hpp"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#define TRACKCORE_STREAMS 1
#endif

namespace trackcore {

void copy_past_caches(std::uint8_t* to, const std::uint8_t* from, std::size_t n) {
#ifdef TRACKCORE_STREAMS
    constexpr std::size_t line = 64, ahead = 512;
    const std::size_t misaligned = (line - reinterpret_cast<std::uintptr_t>(to) % line) % line;
    const std::size_t head = std::min(misaligned, n);
    std::memcpy(to, from, head);
    std::size_t i = head;
    for (; i + line <= n; i += line) {
        const auto* source = reinterpret_cast<const __m128i*>(from + i);
        auto* target = reinterpret_cast<__m128i*>(to + i);
        _mm_prefetch(reinterpret_cast<const char*>(from + std::min(i + ahead, n - 1)),
                     _MM_HINT_NTA);
        const __m128i a = _mm_loadu_si128(source), b = _mm_loadu_si128(source + 1);
        const __m128i c = _mm_loadu_si128(source + 2), d = _mm_loadu_si128(source + 3);
        _mm_stream_si128(target, a);
        _mm_stream_si128(target + 1, b);
        _mm_stream_si128(target + 2, c);
        _mm_stream_si128(target + 3, d);
    }
    _mm_sfence();
    std::memcpy(to + i, from + i, n - i);
#else
    std::memcpy(to, from, n);
#endif
}

}  // namespace trackcore
