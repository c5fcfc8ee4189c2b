#include "core/simd/balls.hpp"

#include "core/simd/vec.hpp"

namespace {

using trackcore::simd::ball_block;
using trackcore::simd::BallBase;
using trackcore::simd::BallLimits;

void every_second(const std::uint8_t* __restrict src, int n, std::uint8_t* __restrict dst) {
    for (int x = 0; x < n; ++x) dst[x] = src[2 * x];
}

/// Bits that are set: compilers turn this into the instruction where the level has one.
inline int count(const std::uint64_t* over, const std::uint64_t* under, int blocks) {
    std::uint64_t n = 0;
    for (int i = 0; i < blocks; ++i) {
        std::uint64_t v = over[i] | under[i];
        v -= v >> 1 & 0x5555555555555555u;
        v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
        v = (v + (v >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
        n += v * 0x0101010101010101u >> 56;
    }
    return static_cast<int>(n);
}

// ---- x86-64-v4: a block is a vector ----

#if defined(__AVX512BW__)

int compare(const std::uint8_t* now, const std::uint8_t* base, const std::uint8_t* limit,
            int blocks, std::uint64_t* over, std::uint64_t* under) {
    std::uint64_t any = 0;
    for (int i = 0; i < blocks; ++i) {
        const __m512i n = _mm512_loadu_si512(now + i * ball_block);
        const __m512i b = _mm512_loadu_si512(base + i * ball_block);
        const __m512i most = _mm512_set1_epi8(static_cast<char>(limit[i]));
        over[i] = _mm512_cmpgt_epu8_mask(_mm512_subs_epu8(n, b), most);
        under[i] = _mm512_cmpgt_epu8_mask(_mm512_subs_epu8(b, n), most);
        any |= over[i] | under[i];
    }
    return any == 0 ? 0 : count(over, under, blocks);
}

/// base + rate * (now - base), the difference cut off at `most`; all in the base's format.
inline __m512i taught(__m512i now, __m512i base, __m512i most, __m512i rate) {
    const __m512i half = _mm512_sub_epi16(_mm512_srli_epi16(now, 1), _mm512_srli_epi16(base, 1));
    const __m512i cut = _mm512_max_epi16(_mm512_min_epi16(half, most),
                                         _mm512_sub_epi16(_mm512_setzero_si512(), most));
    return _mm512_add_epi16(base, _mm512_mulhrs_epi16(cut, rate));
}

void learn(const std::uint8_t* now, const std::uint8_t* before, const BallLimits& limits,
           int blocks, int rate, const BallBase& base, std::uint32_t* sums) {
    const __m512i half = _mm512_set1_epi8(static_cast<char>(0x80));
    const __m512i byte = _mm512_set1_epi16(0xFF), by = _mm512_set1_epi16(static_cast<short>(rate));
    for (int i = 0; i < blocks; ++i) {
        const int x = i * ball_block;
        const __m512i n = _mm512_loadu_si512(now + x), p = _mm512_loadu_si512(before + x);
        const __m512i high = _mm512_loadu_si512(base.high + x);
        const __m512i low = _mm512_loadu_si512(base.low + x);
        const __m512i apart = _mm512_or_si512(_mm512_subs_epu8(n, high), _mm512_subs_epu8(high, n));
        const __mmask64 still = _mm512_cmple_epu8_mask(
            apart, _mm512_set1_epi8(static_cast<char>(limits.foreground[i])));
        const __m512i change = _mm512_or_si512(_mm512_subs_epu8(n, p), _mm512_subs_epu8(p, n));
        const __m512i counted = _mm512_maskz_min_epu8(
            still, change, _mm512_set1_epi8(static_cast<char>(limits.noise[i])));
        sums[i] += static_cast<std::uint32_t>(
            _mm512_reduce_add_epi64(_mm512_sad_epu8(counted, _mm512_setzero_si512())));
        const __m512i most = _mm512_set1_epi16(limits.step[i]);
        const __m512i first =
            taught(_mm512_unpacklo_epi8(half, n), _mm512_unpacklo_epi8(low, high), most, by);
        const __m512i second =
            taught(_mm512_unpackhi_epi8(half, n), _mm512_unpackhi_epi8(low, high), most, by);
        const __m512i new_high =
            _mm512_packus_epi16(_mm512_srli_epi16(first, 8), _mm512_srli_epi16(second, 8));
        const __m512i new_low =
            _mm512_packus_epi16(_mm512_and_si512(first, byte), _mm512_and_si512(second, byte));
        _mm512_storeu_si512(base.high + x, _mm512_mask_mov_epi8(high, still, new_high));
        _mm512_storeu_si512(base.low + x, _mm512_mask_mov_epi8(low, still, new_low));
    }
}

// ---- x86-64-v3: two vectors ----

#elif defined(__AVX2__)

inline __m256i load32(const std::uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
inline void store32(__m256i a, std::uint8_t* p) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a);
}
/// One bit per byte of `a` that exceeds that of `most`.
inline std::uint64_t above_u8(__m256i a, __m256i most) {
    const __m256i no = _mm256_cmpeq_epi8(_mm256_subs_epu8(a, most), _mm256_setzero_si256());
    return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(no)) & 0xFFFFFFFFu;
}

int compare(const std::uint8_t* now, const std::uint8_t* base, const std::uint8_t* limit,
            int blocks, std::uint64_t* over, std::uint64_t* under) {
    std::uint64_t any = 0;
    for (int i = 0; i < blocks; ++i) {
        const __m256i most = _mm256_set1_epi8(static_cast<char>(limit[i]));
        over[i] = under[i] = 0;
        for (int k = 0; k < 2; ++k) {
            const __m256i n = load32(now + i * ball_block + 32 * k);
            const __m256i b = load32(base + i * ball_block + 32 * k);
            over[i] |= above_u8(_mm256_subs_epu8(n, b), most) << (32 * k);
            under[i] |= above_u8(_mm256_subs_epu8(b, n), most) << (32 * k);
        }
        any |= over[i] | under[i];
    }
    return any == 0 ? 0 : count(over, under, blocks);
}

inline __m256i taught(__m256i now, __m256i base, __m256i most, __m256i rate) {
    const __m256i half = _mm256_sub_epi16(_mm256_srli_epi16(now, 1), _mm256_srli_epi16(base, 1));
    const __m256i cut = _mm256_max_epi16(_mm256_min_epi16(half, most),
                                         _mm256_sub_epi16(_mm256_setzero_si256(), most));
    return _mm256_add_epi16(base, _mm256_mulhrs_epi16(cut, rate));
}

void learn(const std::uint8_t* now, const std::uint8_t* before, const BallLimits& limits,
           int blocks, int rate, const BallBase& base, std::uint32_t* sums) {
    const __m256i half = _mm256_set1_epi8(static_cast<char>(0x80)), zero = _mm256_setzero_si256();
    const __m256i byte = _mm256_set1_epi16(0xFF), by = _mm256_set1_epi16(static_cast<short>(rate));
    for (int x = 0; x < blocks * ball_block; x += 32) {
        const int i = x / ball_block;
        const __m256i n = load32(now + x), p = load32(before + x);
        const __m256i high = load32(base.high + x), low = load32(base.low + x);
        const __m256i apart = _mm256_or_si256(_mm256_subs_epu8(n, high), _mm256_subs_epu8(high, n));
        const __m256i limit = _mm256_set1_epi8(static_cast<char>(limits.foreground[i]));
        const __m256i still = _mm256_cmpeq_epi8(_mm256_subs_epu8(apart, limit), zero);
        const __m256i change = _mm256_or_si256(_mm256_subs_epu8(n, p), _mm256_subs_epu8(p, n));
        const __m256i counted = _mm256_and_si256(
            still, _mm256_min_epu8(change, _mm256_set1_epi8(static_cast<char>(limits.noise[i]))));
        const __m256i four = _mm256_sad_epu8(counted, zero);
        const __m128i two =
            _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
        sums[i] += static_cast<std::uint32_t>(_mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 2));
        const __m256i most = _mm256_set1_epi16(limits.step[i]);
        const __m256i first =
            taught(_mm256_unpacklo_epi8(half, n), _mm256_unpacklo_epi8(low, high), most, by);
        const __m256i second =
            taught(_mm256_unpackhi_epi8(half, n), _mm256_unpackhi_epi8(low, high), most, by);
        const __m256i new_high =
            _mm256_packus_epi16(_mm256_srli_epi16(first, 8), _mm256_srli_epi16(second, 8));
        const __m256i new_low =
            _mm256_packus_epi16(_mm256_and_si256(first, byte), _mm256_and_si256(second, byte));
        store32(_mm256_blendv_epi8(high, new_high, still), base.high + x);
        store32(_mm256_blendv_epi8(low, new_low, still), base.low + x);
    }
}

// ---- any CPU ----

#else

int compare(const std::uint8_t* now, const std::uint8_t* base, const std::uint8_t* limit,
            int blocks, std::uint64_t* over, std::uint64_t* under) {
    std::uint64_t any = 0;
    for (int i = 0; i < blocks; ++i) {
        const std::uint8_t *n = now + i * ball_block, *b = base + i * ball_block;
        const int most = limit[i];
        unsigned far = 0;  // the common answer is found by vectors, the rare one bit by bit
        for (int x = 0; x < ball_block; ++x) {
            const int d = n[x] - b[x];
            far |= static_cast<unsigned>((d > most) | (-d > most));
        }
        over[i] = under[i] = 0;
        for (int x = 0; far != 0 && x < ball_block; ++x) {
            over[i] |= static_cast<std::uint64_t>(n[x] - b[x] > most) << x;
            under[i] |= static_cast<std::uint64_t>(b[x] - n[x] > most) << x;
        }
        any |= over[i] | under[i];
    }
    return any == 0 ? 0 : count(over, under, blocks);
}

void learn(const std::uint8_t* __restrict now, const std::uint8_t* __restrict before,
           const BallLimits& limits, int blocks, int rate, const BallBase& base,
           std::uint32_t* sums) {
    std::uint8_t* __restrict high = base.high;
    std::uint8_t* __restrict low = base.low;
    for (int i = 0; i < blocks; ++i) {
        const int most = limits.step[i], limit = limits.foreground[i], noise = limits.noise[i];
        std::uint32_t sum = 0;
        for (int x = i * ball_block; x < (i + 1) * ball_block; ++x) {
            const int apart = now[x] > high[x] ? now[x] - high[x] : high[x] - now[x];
            const int change = now[x] > before[x] ? now[x] - before[x] : before[x] - now[x];
            const bool still = apart <= limit;
            sum += static_cast<std::uint32_t>(still ? (change < noise ? change : noise) : 0);
            const int old = high[x] << 8 | low[x];
            const int half = ((now[x] << 8 | 0x80) >> 1) - (old >> 1);
            const int cut = half > most ? most : half < -most ? -most : half;
            const int taught = old + ((cut * rate + 0x4000) >> 15);
            const int kept = still ? taught : old;
            high[x] = static_cast<std::uint8_t>(kept >> 8);
            low[x] = static_cast<std::uint8_t>(kept & 0xFF);
        }
        sums[i] += sum;
    }
}

#endif

}  // namespace

namespace trackcore::simd {
const BallKernels TRACKCORE_LEVEL_TABLE(ball_kernels){compare, learn, every_second};
}  // namespace trackcore::simd
