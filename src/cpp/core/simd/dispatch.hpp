// CPU levels: chosen once, at first use, from what this CPU can do and TRACKCORE_CPU.
#pragma once

namespace trackcore::simd {

enum class Level : int { baseline = 0, v3 = 1, v4 = 2 };

/// The level in use. TRACKCORE_CPU = baseline | v3 | v4 lowers it; asking for more than the CPU
/// has, or for a word that is no level, throws EnvironmentError.
Level active_level();

/// The highest level that this CPU and this build have.
Level best_level();

const char* level_name(Level level);

/// Whether levels v3 and v4 may use the four-byte products of VNNI at their width, which are no
/// part of the levels but which most newer CPUs have. TRACKCORE_VNNI=0 says no, for tests.
bool has_vnni();

}  // namespace trackcore::simd

/// Declares `const Table& name()`: the table of kernels of the active level. Each file in levels/
/// defines one table per level, so that the linker can never mix code of two levels.
#define TRACKCORE_DECLARE_KERNELS(Table, name) \
    namespace trackcore::simd {                \
    extern const Table name##_baseline;        \
    extern const Table name##_v3;              \
    extern const Table name##_v4;              \
    const Table& name();                       \
    }

#ifdef TRACKCORE_HAS_v4
#define TRACKCORE_DEFINE_KERNELS(Table, name)               \
    const trackcore::simd::Table& trackcore::simd::name() { \
        static const Table& table = []() -> const Table& {  \
            switch (active_level()) {                       \
                case Level::v4:                             \
                    return name##_v4;                       \
                case Level::v3:                             \
                    return name##_v3;                       \
                default:                                    \
                    return name##_baseline;                 \
            }                                               \
        }();                                                \
        return table;                                       \
    }
#else
#define TRACKCORE_DEFINE_KERNELS(Table, name) \
    const trackcore::simd::Table& trackcore::simd::name() { return name##_baseline; }
#endif

// Inside levels/*.cpp: TRACKCORE_LEVEL_TABLE(klt_kernels) names this level's table.
#define TRACKCORE_CONCAT_(a, b) a##_##b
#define TRACKCORE_CONCAT(a, b) TRACKCORE_CONCAT_(a, b)
#define TRACKCORE_LEVEL_TABLE(name) TRACKCORE_CONCAT(name, TRACKCORE_LEVEL)
