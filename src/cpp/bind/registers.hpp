// One function per file of bind/, called by module.cpp.
#pragma once

#include <pybind11/pybind11.h>

namespace trackcore::bind {
void register_detect(pybind11::module_& m);
void register_pyramid(pybind11::module_& m);
void register_tracker(pybind11::module_& m);
void register_track_points(pybind11::module_& m);
void register_track_regions(pybind11::module_& m);
}  // namespace trackcore::bind
