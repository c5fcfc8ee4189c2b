#include <pybind11/pybind11.h>

#include <exception>
#include <utility>

#include "core/environment.hpp"
#include "core/simd/dispatch.hpp"
#include "core/threads.hpp"

namespace py = pybind11;

namespace trackcore::bind {
void register_balls(py::module_& m);
void register_blobs(py::module_& m);
void register_copy(py::module_& m);
void register_detect(py::module_& m);
void register_distortion(py::module_& m);
void register_frame_stats(py::module_& m);
void register_frame_motion(py::module_& m);
void register_pyramid(py::module_& m);
void register_track_points(py::module_& m);
void register_track_regions(py::module_& m);
void register_track_stats(py::module_& m);
void register_tracker(py::module_& m);
void register_triangulate(py::module_& m);
}  // namespace trackcore::bind

namespace {

/// What is wrong with the environment is wrong input, and says so as all wrong input does.
void translate(std::exception_ptr thrown) {
    try {
        if (thrown) std::rethrow_exception(std::move(thrown));
    } catch (const trackcore::EnvironmentError& error) {
        const py::object kind = py::module_::import("trackcore.errors").attr("InputError");
        PyErr_SetString(kind.ptr(), error.what());
    }
}

}  // namespace

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
    using namespace trackcore;
    py::register_local_exception_translator(&translate);
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
    bind::register_balls(m);
    bind::register_blobs(m);
    bind::register_copy(m);
    bind::register_detect(m);
    bind::register_frame_stats(m);
    bind::register_track_points(m);
    bind::register_tracker(m);
    bind::register_track_regions(m);
    bind::register_track_stats(m);
    bind::register_frame_motion(m);
    bind::register_triangulate(m);
    bind::register_distortion(m);
}
