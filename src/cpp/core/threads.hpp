// A small pool of worker threads, started when first needed and never before.
#pragma once

#include <functional>

namespace trackcore {

/// How many threads "all" means: TRACKCORE_NUM_THREADS if it is set, else the CPUs this process may
/// run on (its affinity mask and, on Linux, its cgroup quota). Throws EnvironmentError if the
/// variable holds anything but a whole number above 0.
int available_threads();

/// Runs body(begin, end) over [0, count) in pieces of `grain`, on `threads` threads including the
/// caller; 0 means `available_threads()`. Pieces do not overlap and together cover everything.
/// The first exception thrown by a piece is rethrown here, after all running pieces ended.
/// Safe to call from several threads at once and in a child after fork.
void parallel_for(int count, int grain, int threads, const std::function<void(int, int)>& body);

}  // namespace trackcore
