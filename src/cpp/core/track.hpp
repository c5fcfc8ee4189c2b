// One live track of a `Tracker`.
#pragma once

#include "core/follow.hpp"

namespace trackcore {

struct Tracker::Track {
    std::int64_t index;
    Patch patch;
};

}  // namespace trackcore
