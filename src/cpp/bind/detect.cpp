#include "core/detect.hpp"

#include <pybind11/stl.h>

#include <optional>

#include "bind/arrays.hpp"

namespace trackcore::bind {
namespace {

FeatureOptions feature_options(int max_features, double quality, double min_distance, int block,
                               int cells, double min_score) {
    if (block < 3 || block > 15) throw std::invalid_argument("block out of range");
    return {max_features, quality, min_distance, block, cells, min_score};
}

py::typing::Tuple<Array<double>, Array<float>> detect(
    const FramePyramid& image, const FeatureOptions& options,
    const std::optional<Array<double>>& existing_px, const std::optional<Array<std::uint8_t>>& mask,
    int threads) {
    const ImageView& view = image.level(0);
    const auto existing = existing_px ? points(*existing_px) : std::span<const Vec2>{};
    MaskView allowed;
    if (mask) {
        if (mask->ndim() != 2 || mask->size() == 0)
            throw std::invalid_argument("mask of unexpected shape");
        allowed = {mask->data(), mask->strides(0), static_cast<int>(mask->shape(1)),
                   static_cast<int>(mask->shape(0))};
    }
    std::vector<Feature> features;
    {
        const py::gil_scoped_release nogil;
        detect_features(view, options, existing, mask ? &allowed : nullptr, threads, features);
    }
    const auto n = static_cast<py::ssize_t>(features.size());
    Array<double> xy({n, py::ssize_t{2}});
    Array<float> score(n);
    double* p = xy.mutable_data();
    for (py::ssize_t i = 0; i < n; ++i) {
        p[2 * i] = features[i].xy_px.x;
        p[2 * i + 1] = features[i].xy_px.y;
        score.mutable_data()[i] = features[i].score;
    }
    return py::make_tuple(xy, score);
}

}  // namespace

void register_detect(py::module_& m) {
    py::class_<FeatureOptions>(m, "FeatureOptions")
        .def(py::init(&feature_options), py::kw_only(), "max_features"_a, "quality"_a,
             "min_distance"_a, "block"_a, "cells"_a, "min_score"_a);
    m.def("detect_features", &detect, "image"_a, "options"_a,
          "existing_px"_a.noconvert().none(true), "mask"_a.noconvert().none(true), "threads"_a);
}

}  // namespace trackcore::bind
