#include <pybind11/pybind11.h>

#include "bind/registers.hpp"
#include "core/simd/dispatch.hpp"
#include "core/threads.hpp"

namespace py = pybind11;

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
    using namespace trackcore;
    m.attr("__version__") = TRACKCORE_VERSION;
#ifdef TRACKCORE_SANITIZED
    m.attr("SANITIZED") = true;
#else
    m.attr("SANITIZED") = false;
#endif
    m.def("cpu_level", [] { return simd::level_name(simd::active_level()); });
    m.def("best_cpu_level", [] { return simd::level_name(simd::best_level()); });
    m.def("available_threads", &available_threads);
    bind::register_pyramid(m);  // first: the others' signatures name its class
    bind::register_detect(m);
    bind::register_track_points(m);
    bind::register_tracker(m);
    bind::register_track_regions(m);
}
