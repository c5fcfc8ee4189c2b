#include "core/simd/cross.hpp"

#include "core/simd/vec32.hpp"

#if defined(_MSC_VER) && !defined(__clang__)
#define TRACKCORE_INLINE __forceinline
#define TRACKCORE_VNNI
#else
#define TRACKCORE_INLINE inline __attribute__((always_inline))
#if defined(__AVX512BW__)
#define TRACKCORE_VNNI __attribute__((target("avx512vnni")))
#else
#define TRACKCORE_VNNI __attribute__((target("avxvnni")))
#endif
#endif

namespace {

// What `band` needs to know of a kind of lane: a vector of sums, and how one vector of the area
// times one broadcast lane of the pattern is added to it.

struct FloatLanes {
    using Lane = float;
    using Sums = WideFloat;
    static constexpr int lanes = half_wide;
    static TRACKCORE_INLINE Sums zero() { return ::all(0.0f); }
    static TRACKCORE_INLINE Sums load(const float* p) { return ::load(p); }
    static TRACKCORE_INLINE Sums all(const float* p) { return ::all(*p); }
    static TRACKCORE_INLINE Sums accumulate(Sums total, Sums area, Sums tap) {
        return mul_add(area, tap, total);
    }
    static TRACKCORE_INLINE void store(Sums total, float* p) { ::store(total, p); }
};

struct PairLanes {
    using Lane = std::int32_t;
    using Sums = Wide32;
    static constexpr int lanes = half_wide;
    static TRACKCORE_INLINE Sums zero() { return dot_pairs(Wide16::all(0), Wide16::all(0)); }
    static TRACKCORE_INLINE Wide16 load(const std::int32_t* p) {
        return Wide16::load(reinterpret_cast<const std::int16_t*>(p));
    }
    static TRACKCORE_INLINE Wide16 all(const std::int32_t* p) { return all_pairs(*p); }
    static TRACKCORE_INLINE Sums accumulate(Sums total, Wide16 area, Wide16 taps) {
        return add(total, dot_pairs(area, taps));
    }
    static TRACKCORE_INLINE void store(Sums total, std::int32_t* p) { ::store(total, p); }

    /// Adds the pixels of a lane that `mask` leaves, and their squares.
    static TRACKCORE_INLINE void add_pixels(Wide16 area, Wide16 mask, Sums& sum, Sums& squares) {
        const Wide16 pixels = bit_and(area, mask);
        sum = add(sum, dot_pairs(pixels, Wide16::all(1)));
        squares = add(squares, dot_pairs(pixels, pixels));
    }
    static TRACKCORE_INLINE Sums squares_from(Sums, Sums squares) { return squares; }
};

#if defined(__AVX2__)
#if defined(__AVX512BW__)
using Bytes = __m512i;
inline Bytes zero_bytes() { return _mm512_setzero_si512(); }
inline Bytes load_bytes(const std::int32_t* p) { return _mm512_loadu_si512(p); }
inline Bytes all_bytes(std::int32_t lane) { return _mm512_set1_epi32(lane); }
inline Bytes both(Bytes a, Bytes b) { return _mm512_and_si512(a, b); }
inline Bytes either(Bytes a, Bytes b) { return _mm512_xor_si512(a, b); }
inline Bytes add_lanes(Bytes a, Bytes b) { return _mm512_add_epi32(a, b); }
inline Bytes times_128(Bytes a) { return _mm512_slli_epi32(a, 7); }
inline void store_bytes(Bytes a, std::int32_t* p) { _mm512_storeu_si512(p, a); }
TRACKCORE_VNNI inline Bytes dot4(Bytes total, Bytes pixels, Bytes values) {
    return _mm512_dpbusd_epi32(total, pixels, values);
}
#else
using Bytes = __m256i;
inline Bytes zero_bytes() { return _mm256_setzero_si256(); }
inline Bytes load_bytes(const std::int32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
inline Bytes all_bytes(std::int32_t lane) { return _mm256_set1_epi32(lane); }
inline Bytes both(Bytes a, Bytes b) { return _mm256_and_si256(a, b); }
inline Bytes either(Bytes a, Bytes b) { return _mm256_xor_si256(a, b); }
inline Bytes add_lanes(Bytes a, Bytes b) { return _mm256_add_epi32(a, b); }
inline Bytes times_128(Bytes a) { return _mm256_slli_epi32(a, 7); }
inline void store_bytes(Bytes a, std::int32_t* p) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a);
}
TRACKCORE_VNNI inline Bytes dot4(Bytes total, Bytes pixels, Bytes values) {
    return _mm256_dpbusd_avx_epi32(total, pixels, values);
}
#endif

/// Four products a lane. Only the innermost step needs the instruction, and only functions that
/// are compiled for it inline it.
struct QuadLanes {
    using Lane = std::int32_t;
    using Sums = Bytes;
    static constexpr int lanes = half_wide;
    static TRACKCORE_INLINE Sums zero() { return zero_bytes(); }
    static TRACKCORE_INLINE Sums load(const std::int32_t* p) { return load_bytes(p); }
    static TRACKCORE_INLINE Sums all(const std::int32_t* p) { return all_bytes(*p); }
    TRACKCORE_VNNI static inline Sums accumulate(Sums total, Sums area, Sums taps) {
        return dot4(total, area, taps);
    }
    static TRACKCORE_INLINE void store(Sums total, std::int32_t* p) { store_bytes(total, p); }

    /// One factor is signed: v (v - 128) stands for the square.
    TRACKCORE_VNNI static inline void add_pixels(Sums area, Sums mask, Sums& sum, Sums& squares) {
        const Sums pixels = both(area, mask);
        sum = dot4(sum, pixels, all_bytes(0x01010101));
        squares = dot4(squares, pixels, either(area, all_bytes(static_cast<int>(0x80808080u))));
    }
    static TRACKCORE_INLINE Sums squares_from(Sums sum, Sums squares) {
        return add_lanes(squares, times_128(sum));
    }
};
#endif

template <class Kind>
struct Band {
    using Lane = typename Kind::Lane;
    const Lane* area;
    std::ptrdiff_t area_stride;
    const Lane* pattern;
    int groups, pattern_rows;
    Lane* out;
    std::ptrdiff_t out_stride;
};

/// Row y of the area, for the rows of shifts from `first` to before `last`: row r of shifts meets
/// row y - r of the pattern.
template <class Kind, int taps, int first, int last, int rows, int vectors>
TRACKCORE_INLINE void add_row(const Band<Kind>& b, int x, int y,
                              typename Kind::Sums (&total)[rows][vectors]) {
    const auto* area = b.area + y * b.area_stride + x;
    const auto* pattern = b.pattern + y * b.groups;
    for (int g = 0; g < b.groups; ++g) {
        decltype(Kind::load(area)) pixels[vectors];
        for (int v = 0; v < vectors; ++v) pixels[v] = Kind::load(area + g * taps + v * Kind::lanes);
        for (int r = first; r < last; ++r) {
            const auto values = Kind::all(pattern + g - r * b.groups);
            for (int v = 0; v < vectors; ++v)
                total[r][v] = Kind::accumulate(total[r][v], pixels[v], values);
        }
    }
}

/// `rows` rows of `vectors` vectors of shifts, starting at lane x; all sums stay in registers.
template <class Kind, int taps, int rows, int vectors>
TRACKCORE_INLINE void sum_products(const Band<Kind>& b, int x) {
    typename Kind::Sums total[rows][vectors];
    for (auto& row : total)
        for (auto& sums : row) sums = Kind::zero();
    static_assert(rows == 3 || rows == 4);
    const int n = b.pattern_rows;  // at least `rows`
    add_row<Kind, taps, 0, 1>(b, x, 0, total);
    add_row<Kind, taps, 0, 2>(b, x, 1, total);
    if constexpr (rows == 4) add_row<Kind, taps, 0, 3>(b, x, 2, total);
    for (int y = rows - 1; y < n; ++y) add_row<Kind, taps, 0, rows>(b, x, y, total);
    add_row<Kind, taps, 1, rows>(b, x, n, total);
    add_row<Kind, taps, 2, rows>(b, x, n + 1, total);
    if constexpr (rows == 4) add_row<Kind, taps, 3, rows>(b, x, n + 2, total);
    for (int r = 0; r < rows; ++r)
        for (int v = 0; v < vectors; ++v)
            Kind::store(total[r][v], b.out + r * b.out_stride + x + v * Kind::lanes);
}

// As many sums as there are registers, with room for a row of pixels and a pattern value.
#if defined(__AVX512BW__)
constexpr int band_rows = 4, band_vectors = 4;
#else
constexpr int band_rows = 3, band_vectors = 3;
#endif

template <class Kind, int taps>
TRACKCORE_INLINE void sum_band(const Band<Kind>& b, int shifts) {
    int left = (shifts + Kind::lanes - 1) / Kind::lanes;
    int x = 0;
    // Five vectors are three and two, not four and one: a lone vector cannot hide latency.
    for (; left > band_vectors + 1 || left == band_vectors; left -= band_vectors) {
        sum_products<Kind, taps, band_rows, band_vectors>(b, x);
        x += band_vectors * Kind::lanes;
    }
    if (left >= 3) {
        sum_products<Kind, taps, band_rows, 3>(b, x);
        left -= 3;
        x += 3 * Kind::lanes;
    }
    for (; left >= 2; left -= 2, x += 2 * Kind::lanes) sum_products<Kind, taps, band_rows, 2>(b, x);
    if (left == 1) sum_products<Kind, taps, band_rows, 1>(b, x);
}

template <class Kind, int taps>
TRACKCORE_INLINE void sum_row(const std::int32_t* area, int width, int shifts, std::int32_t* sum,
                              std::int32_t* squares) {
    // All ones in the bytes of the last group that belong to the window.
    const int over = (width + taps - 1) / taps * taps - width;
    const std::int32_t last = static_cast<std::int32_t>(0xffffffffu >> (over * (32 / taps)));
    const std::int32_t all = -1;
    for (int x = 0; x < shifts; x += Kind::lanes) {
        auto total = Kind::zero(), total_squares = Kind::zero();
        int k = 0;
        for (; k + taps <= width; k += taps)
            Kind::add_pixels(Kind::load(area + x + k), Kind::all(&all), total, total_squares);
        if (over > 0)
            Kind::add_pixels(Kind::load(area + x + k), Kind::all(&last), total, total_squares);
        Kind::store(total, sum + x);
        Kind::store(Kind::squares_from(total, total_squares), squares + x);
    }
}

void cross_f32(const float* area, std::ptrdiff_t area_stride, const float* pattern, int groups,
               int pattern_rows, int shifts, float* out, std::ptrdiff_t out_stride) {
    sum_band<FloatLanes, 1>({area, area_stride, pattern, groups, pattern_rows, out, out_stride},
                            shifts);
}

void cross_pairs(const std::int32_t* area, std::ptrdiff_t area_stride, const std::int32_t* pattern,
                 int groups, int pattern_rows, int shifts, std::int32_t* out,
                 std::ptrdiff_t out_stride) {
    sum_band<PairLanes, 2>({area, area_stride, pattern, groups, pattern_rows, out, out_stride},
                           shifts);
}

void add_pairs_across(const std::int32_t* area, int width, int shifts, std::int32_t* sum,
                      std::int32_t* squares) {
    sum_row<PairLanes, 2>(area, width, shifts, sum, squares);
}

#if defined(__AVX2__)
TRACKCORE_VNNI void cross_quads(const std::int32_t* area, std::ptrdiff_t area_stride,
                                const std::int32_t* pattern, int groups, int pattern_rows,
                                int shifts, std::int32_t* out, std::ptrdiff_t out_stride) {
    sum_band<QuadLanes, 4>({area, area_stride, pattern, groups, pattern_rows, out, out_stride},
                           shifts);
}

TRACKCORE_VNNI void add_quads_across(const std::int32_t* area, int width, int shifts,
                                     std::int32_t* sum, std::int32_t* squares) {
    sum_row<QuadLanes, 4>(area, width, shifts, sum, squares);
}
#endif

template <class Value>
void pack(const std::uint8_t* src, int width, int groups, std::int32_t* lanes, std::int32_t* sum,
          std::int32_t* squares) {
    constexpr int most = 64;
    // Loops of a constant length are whole vectors; what is padded adds nothing.
    alignas(64) std::uint8_t pixels[most];
    alignas(64) Value values[most];
    std::memset(pixels, 128, most);
    std::memcpy(pixels, src, static_cast<std::size_t>(width));
    std::int32_t total = 0, total_squares = 0;
    for (int x = 0; x < most; ++x) {
        const int value = pixels[x] - 128;
        values[x] = static_cast<Value>(value);
        total += value;
        total_squares += value * value;
    }
    std::memcpy(lanes, values, sizeof(*lanes) * static_cast<std::size_t>(groups));
    *sum += total;
    *squares += total_squares;
}

/// Byte shuffle that gives each lane its `taps` pixels, 8 or 16 bits each.
template <int taps, int lanes>
struct Spread {
    alignas(64) std::int8_t from[4 * lanes];
    constexpr explicit Spread(int lanes_a_block) : from{} {
        for (int lane = 0; lane < lanes; ++lane)
            for (int byte = 0; byte < 4; ++byte) {
                const int pixel = lane % lanes_a_block;
                // -1 asks for a zero byte
                from[4 * lane + byte] = static_cast<std::int8_t>(taps == 4       ? pixel + byte
                                                                 : byte % 2 == 0 ? pixel + byte / 2
                                                                                 : -1);
            }
    }
};

template <int taps>
void expand(const std::uint8_t* __restrict src, int lanes, std::int32_t* __restrict dst) {
    int x = 0;
#if defined(__AVX512BW__)
    static constexpr Spread<taps, 16> spread(4);
    const __m512i control = _mm512_load_si512(spread.from);
    const __m512i dwords = _mm512_setr_epi32(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6);
    for (; x < lanes; x += 16) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src + x));
        const __m512i groups = _mm512_permutexvar_epi32(dwords, _mm512_castsi256_si512(bytes));
        _mm512_storeu_si512(dst + x, _mm512_shuffle_epi8(groups, control));
    }
#elif defined(__AVX2__)
    static constexpr Spread<taps, 8> spread(8);
    const __m256i control = _mm256_load_si256(reinterpret_cast<const __m256i*>(spread.from));
    for (; x < lanes; x += 8) {
        const __m256i bytes =
            _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(src + x)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + x),
                            _mm256_shuffle_epi8(bytes, control));
    }
#endif
    for (; x < lanes; ++x) {
        std::uint32_t lane = 0;
        for (int i = 0; i < taps; ++i) lane |= std::uint32_t{src[x + i]} << (32 / taps * i);
        dst[x] = static_cast<std::int32_t>(lane);
    }
}

}  // namespace

namespace trackcore::simd {
const CrossKernels TRACKCORE_LEVEL_TABLE(cross_kernels){
    {1, band_rows, cross_f32},
    {{2, band_rows, cross_pairs}, pack<std::int16_t>, expand<2>, add_pairs_across},
#if defined(__AVX2__)
    {{4, band_rows, cross_quads}, pack<std::int8_t>, expand<4>, add_quads_across}};
#else
    {{4, band_rows, nullptr}, nullptr, nullptr, nullptr}};
#endif
}  // namespace trackcore::simd
