#include "core/tracker.hpp"

#include <pybind11/stl.h>

#include <optional>

#include "bind/arrays.hpp"

namespace trackcore::bind {
namespace {

/// Of several samples: track (n,), xy_px (n, 2), status (n,), ncc (n,)
using SampleColumns =
    py::typing::Tuple<Array<std::int64_t>, Array<double>, Array<std::uint8_t>, Array<float>>;

std::optional<MaskView> mask_view(const std::optional<Array<std::uint8_t>>& mask) {
    if (!mask) return std::nullopt;
    if (mask->ndim() != 2) throw std::invalid_argument("mask of unexpected shape");
    return MaskView{mask->data(), mask->strides(0), static_cast<int>(mask->shape(1)),
                    static_cast<int>(mask->shape(0))};
}

std::optional<WeightView> weight_view(const std::optional<Array<float>>& weights) {
    if (!weights) return std::nullopt;
    if (weights->ndim() != 2 || weights->size() == 0)
        throw std::invalid_argument("weights of unexpected shape");
    double sum = 0.0;
    for (py::ssize_t i = 0; i < weights->size(); ++i) sum += weights->data()[i];
    if (!(sum > 0.0)) throw std::invalid_argument("weights without any");
    return WeightView{weights->data(), static_cast<int>(weights->shape(1)),
                      static_cast<int>(weights->shape(0)),
                      static_cast<float>(sum / static_cast<double>(weights->size()))};
}

void push(Tracker& tracker, const std::shared_ptr<FramePyramid>& frame,
          const std::optional<Array<std::uint8_t>>& mask,
          const std::optional<Array<float>>& weights, int threads) {
    const auto view = mask_view(mask);
    const auto parts = weight_view(weights);
    const py::gil_scoped_release nogil;
    tracker.push(frame, view ? &*view : nullptr, parts ? &*parts : nullptr, threads);
}

void configure(Tracker& tracker, const PointOptions& points, const FeatureOptions& features,
               int model, int anchor, bool replenish) {
    tracker.configure({points, features, static_cast<MotionModel>(model),
                       static_cast<Anchor>(anchor), replenish});
}

std::int64_t add(Tracker& tracker, const Array<double>& xy_px) {
    if (tracker.n_frames() == 0) throw std::invalid_argument("no frame yet");
    return tracker.add(points(xy_px));
}

SampleColumns state(const Tracker& tracker) {
    const auto samples = tracker.state();
    const auto n = static_cast<py::ssize_t>(samples.size());
    Array<std::int64_t> track(n);
    Array<double> xy({n, py::ssize_t{2}});
    Array<std::uint8_t> status(n);
    Array<float> ncc(n);
    for (py::ssize_t i = 0; i < n; ++i) {
        track.mutable_data()[i] = samples[i].track;
        xy.mutable_data()[2 * i] = samples[i].xy_px.x;
        xy.mutable_data()[2 * i + 1] = samples[i].xy_px.y;
        status.mutable_data()[i] = static_cast<std::uint8_t>(samples[i].status);
        ncc.mutable_data()[i] = samples[i].ncc;
    }
    return py::make_tuple(track, xy, status, ncc);
}

/// All tracks, dense: xy_px (n_tracks, n_frames, 2), status and ncc (n_tracks, n_frames).
py::typing::Tuple<Array<double>, Array<std::uint8_t>, Array<float>> dense(const Tracker& tracker) {
    const auto n = static_cast<py::ssize_t>(tracker.n_tracks());
    const auto m = static_cast<py::ssize_t>(tracker.n_frames());
    Array<double> xy({n, m, py::ssize_t{2}});
    Array<std::uint8_t> status({n, m});
    Array<float> ncc({n, m});
    std::fill_n(xy.mutable_data(), xy.size(), std::numeric_limits<double>::quiet_NaN());
    std::fill_n(status.mutable_data(), status.size(),
                static_cast<std::uint8_t>(PointStatus::unseen));
    std::fill_n(ncc.mutable_data(), ncc.size(), std::numeric_limits<float>::quiet_NaN());
    for (py::ssize_t f = 0; f < m; ++f)
        for (const TrackSample& sample : tracker.frame(static_cast<std::size_t>(f))) {
            const py::ssize_t at = sample.track * m + f;
            xy.mutable_data()[2 * at] = sample.xy_px.x;
            xy.mutable_data()[2 * at + 1] = sample.xy_px.y;
            status.mutable_data()[at] = static_cast<std::uint8_t>(sample.status);
            ncc.mutable_data()[at] = sample.ncc;
            if (sample.status != PointStatus::tracked)  // the end: from here on it is lost
                std::fill_n(status.mutable_data() + at + 1, m - f - 1,
                            static_cast<std::uint8_t>(PointStatus::lost));
        }
    return py::make_tuple(xy, status, ncc);
}

}  // namespace

void register_tracker(py::module_& m) {
    py::class_<Tracker>(m, "Tracker")
        .def(py::init([](const PointOptions& points, const FeatureOptions& features, int model,
                         int anchor, bool replenish) {
                 return Tracker({points, features, static_cast<MotionModel>(model),
                                 static_cast<Anchor>(anchor), replenish});
             }),
             py::kw_only(), "points"_a, "features"_a, "model"_a, "anchor"_a, "replenish"_a)
        .def("configure", &configure, py::kw_only(), "points"_a, "features"_a, "model"_a,
             "anchor"_a, "replenish"_a)
        .def("drop_all", &Tracker::drop_all)
        .def("snapshot", [](const Tracker& tracker) { return py::bytes(tracker.snapshot()); })
        .def(
            "restore",
            [](Tracker& tracker, const py::bytes& state,
               const std::shared_ptr<FramePyramid>& frame) {
                return tracker.restore(std::string_view(state), frame);
            },
            "state"_a, "frame"_a)
        .def("push", &push, "frame"_a, "mask"_a.noconvert().none(true),
             "weights"_a.noconvert().none(true), "threads"_a)
        .def("add", &add, "xy_px"_a.noconvert())
        .def("state", &state)
        .def("dense", &dense)
        .def_property_readonly("n_tracks", &Tracker::n_tracks)
        .def_property_readonly("n_frames", &Tracker::n_frames);
}

}  // namespace trackcore::bind
