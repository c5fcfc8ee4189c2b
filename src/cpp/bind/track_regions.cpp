#include "core/track_regions.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "bind/arrays.hpp"
#include "bind/point_columns.hpp"
#include "core/zncc.hpp"

namespace trackcore::bind {
namespace {

RegionOptions region_options(int pattern, int search, int model, double min_correlation,
                             bool normalize, bool brute, int max_iterations, double epsilon) {
    if (pattern < min_pattern || pattern > max_pattern || search > max_search)
        throw std::invalid_argument("pattern or search out of range");
    return {pattern,         search,    static_cast<MotionModel>(model),
            min_correlation, normalize, brute,
            max_iterations,  epsilon};
}

/// `PointColumns`, then warp (n, 3, 3).
py::typing::Tuple<PointColumns, Array<double>> track(const FramePyramid& prev,
                                                     const FramePyramid& next,
                                                     const Array<double>& xy_px,
                                                     const std::optional<Array<double>>& guess_px,
                                                     const std::optional<Array<double>>& guess_warp,
                                                     const RegionOptions& options, int threads) {
    const auto from = points(xy_px);
    std::span<const Vec2> guess;
    if (guess_px) {
        guess = points(*guess_px);
        if (guess.size() != from.size()) throw std::invalid_argument("guess_px of another length");
    }
    std::span<const Mat3> warps;
    if (guess_warp) {
        static_assert(sizeof(Mat3) == 9 * sizeof(double));
        require_shape(*guess_warp, {xy_px.shape(0), 3, 3});
        warps = {reinterpret_cast<const Mat3*>(guess_warp->data()), from.size()};
    }
    if (prev.level(0).type != next.level(0).type)
        throw std::invalid_argument("images of two dtypes");
    std::vector<RegionMatch> matches(from.size());
    {
        const py::gil_scoped_release nogil;
        track_regions(prev.level(0), next.level(0), from, guess, warps, options, threads, matches);
    }
    std::vector<PointMatch> found(matches.size());
    Array<double> warp({static_cast<py::ssize_t>(matches.size()), py::ssize_t{3}, py::ssize_t{3}});
    for (std::size_t i = 0; i < matches.size(); ++i) {
        found[i] = matches[i].point;
        std::copy_n(matches[i].warp.m, 9, warp.mutable_data() + 9 * i);
    }
    return py::make_tuple(columns(found), warp);
}

ImageView view(const py::array& image) {
    const SourceImage source = source_image(image, true);
    if (source.channels != 1 || source.pixel_stride != pixel_size(source.grey.type))
        throw std::invalid_argument("image of unexpected layout");
    return source.grey;
}

/// Found, x, y, ncc; and the ncc of every window (rows, columns).
py::typing::Tuple<bool, int, int, double, Array<float>> find(const py::array& pattern,
                                                             const py::array& area, bool with_map) {
    const ImageView p = view(pattern), a = view(area);
    const py::ssize_t ny = a.height - p.height + 1, nx = a.width - p.width + 1;
    if (p.type != a.type || nx < 1 || ny < 1 || std::max(a.width, a.height) > max_search ||
        std::max(p.width, p.height) > max_pattern || std::min(p.width, p.height) < min_pattern)
        throw std::invalid_argument("pattern and area do not fit");
    Array<float> map({with_map ? ny : 0, with_map ? nx : 0});
    const std::span<float> values(map.mutable_data(), static_cast<std::size_t>(map.size()));
    PatternHit hit;
    {
        const py::gil_scoped_release nogil;
        hit = find_pattern(p, a, values);
    }
    return py::make_tuple(hit.found, hit.x, hit.y, hit.ncc, map);
}

}  // namespace

void register_track_regions(py::module_& m) {
    py::class_<RegionOptions>(m, "RegionOptions")
        .def(py::init(&region_options), py::kw_only(), "pattern"_a, "search"_a, "model"_a,
             "min_correlation"_a, "normalize"_a, "brute"_a, "max_iterations"_a, "epsilon"_a);
    m.def("track_regions", &track, "prev"_a, "next"_a, "xy_px"_a.noconvert(),
          "guess_px"_a.noconvert().none(true), "guess_warp"_a.noconvert().none(true), "options"_a,
          "threads"_a);
    m.def("find_pattern", &find, "pattern"_a.noconvert(), "area"_a.noconvert(), py::kw_only(),
          "with_map"_a);
}

}  // namespace trackcore::bind
