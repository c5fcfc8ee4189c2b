#include "core/simd/dispatch.hpp"

#include <cstdlib>
#include <string>

#include "core/environment.hpp"

#if defined(TRACKCORE_HAS_v4)
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace trackcore::simd {
namespace {

#if defined(TRACKCORE_HAS_v4) && !defined(_MSC_VER)

bool cpu_has(Level level) {
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    if (level == Level::v3) return v3;
    if (level == Level::v4)
        return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512cd");
    return true;
}

bool cpu_has_vnni(Level level) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (level == Level::v4) return __builtin_cpu_supports("avx512vnni");
    return level == Level::v3 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 4)) != 0;
}

#elif defined(TRACKCORE_HAS_v4)

bool cpu_has(Level level) {
    int id[4];
    __cpuid(id, 1);
    const bool os_saves_ymm =
        (id[2] & (1 << 27)) && (_xgetbv(0) & 0x6) == 0x6 && (id[2] & (1 << 12));
    const bool os_saves_zmm = os_saves_ymm && (_xgetbv(0) & 0xe6) == 0xe6;
    __cpuidex(id, 7, 0);
    const int v3_bits = (1 << 3) | (1 << 5) | (1 << 8);
    const unsigned v4_bits = (1u << 16) | (1u << 17) | (1u << 28) | (1u << 30) | (1u << 31);
    const bool v3 = os_saves_ymm && (id[1] & v3_bits) == v3_bits;
    if (level == Level::v3) return v3;
    if (level == Level::v4)
        return v3 && os_saves_zmm && (static_cast<unsigned>(id[1]) & v4_bits) == v4_bits;
    return true;
}

bool cpu_has_vnni(Level level) {
    int id[4];
    __cpuidex(id, 7, level == Level::v4 ? 0 : 1);
    if (level == Level::v4) return (id[2] & (1 << 11)) != 0;
    return level == Level::v3 && (id[0] & (1 << 4)) != 0;
}

#else

bool cpu_has(Level level) { return level == Level::baseline; }
bool cpu_has_vnni(Level) { return false; }

#endif

Level choose_level() {
    const char* wanted = std::getenv("TRACKCORE_CPU");
    if (wanted == nullptr || *wanted == '\0') return best_level();
    for (const Level level : {Level::baseline, Level::v3, Level::v4}) {
        if (std::string(wanted) != level_name(level)) continue;
        if (cpu_has(level)) return level;
        throw EnvironmentError(
            "TRACKCORE_CPU", wanted,
            std::string("this CPU or build only has ") + level_name(best_level()) + " and below");
    }
    throw EnvironmentError("TRACKCORE_CPU", wanted, "expected baseline, v3 or v4");
}

}  // namespace

Level best_level() {
    return cpu_has(Level::v4) ? Level::v4 : cpu_has(Level::v3) ? Level::v3 : Level::baseline;
}

Level active_level() {
    static const Level level = choose_level();
    return level;
}

bool has_vnni() {
    static const bool has = [] {
        const char* wanted = std::getenv("TRACKCORE_VNNI");
        return (wanted == nullptr || std::string(wanted) != "0") && cpu_has_vnni(active_level());
    }();
    return has;
}

const char* level_name(Level level) {
    switch (level) {
        case Level::v4:
            return "v4";
        case Level::v3:
            return "v3";
        default:
            return "baseline";
    }
}

}  // namespace trackcore::simd
