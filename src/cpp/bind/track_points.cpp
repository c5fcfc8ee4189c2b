#include "core/track_points.hpp"

#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "bind/arrays.hpp"
#include "bind/point_columns.hpp"

namespace trackcore::bind {
namespace {

PointOptions point_options(int window, int levels, int max_iterations, double epsilon,
                           int photometric, bool precise, bool forward_backward, double min_ncc,
                           double max_fb_px, double max_sigma_px) {
    return {
        window,  levels,           max_iterations, epsilon,   static_cast<Photometric>(photometric),
        precise, forward_backward, min_ncc,        max_fb_px, max_sigma_px};
}

PointColumns track(const FramePyramid& prev, const FramePyramid& next, const Array<double>& xy_px,
                   const std::optional<Array<double>>& guess_px, const PointOptions& options,
                   int threads) {
    const auto from = points(xy_px);
    std::span<const Vec2> guess;
    if (guess_px) {
        guess = points(*guess_px);
        if (guess.size() != from.size()) throw std::invalid_argument("guess_px of another length");
    }
    std::vector<PointMatch> matches(from.size());
    {
        const py::gil_scoped_release nogil;
        track_points(prev, next, from, guess, options, threads, matches);
    }
    return columns(matches);
}

}  // namespace

void register_track_points(py::module_& m) {
    py::class_<PointOptions>(m, "PointOptions")
        .def(py::init(&point_options), py::kw_only(), "window"_a, "levels"_a, "max_iterations"_a,
             "epsilon"_a, "photometric"_a, "precise"_a, "forward_backward"_a, "min_ncc"_a,
             "max_fb_px"_a, "max_sigma_px"_a);
    m.def("track_points", &track, "prev"_a, "next"_a, "xy_px"_a.noconvert(),
          "guess_px"_a.noconvert().none(true), "options"_a, "threads"_a);
}

}  // namespace trackcore::bind
