#include "core/track_stats.hpp"

#include "bind/stats_view.hpp"

namespace trackcore::bind {
namespace {

using Counts = Array<std::int64_t>;

py::typing::Tuple<Array<double>, Array<double>, Counts, Counts> stats(
    const Array<double>& xy_px, const Array<float>& ncc, const Array<std::int64_t>& frames,
    double still_px, const Array<double>& edges_px, int threads) {
    TrackView view = track_view(xy_px, frames);
    require_shape(ncc, {xy_px.shape(0), xy_px.shape(1)});
    require_shape(edges_px, {4});
    view.ncc = ncc.data();
    Array<double> tracks = rows_array<TrackRow>(xy_px.shape(0));
    Array<double> per_frame = rows_array<FrameRow>(xy_px.shape(1));
    FlowHistograms histograms;
    const std::span<const double, 4> edges{edges_px.data(), 4};
    auto* track_rows = reinterpret_cast<TrackRow*>(tracks.mutable_data());
    auto* frame_rows = reinterpret_cast<FrameRow*>(per_frame.mutable_data());
    {
        const py::gil_scoped_release nogil;
        track_stats(view, still_px, edges, threads, track_rows, frame_rows, histograms);
    }
    return py::make_tuple(tracks, per_frame, Counts(8, histograms.direction),
                          Counts(5, histograms.magnitude));
}

}  // namespace

void register_track_stats(py::module_& m) {
    m.def("track_stats", &stats, "xy_px"_a.noconvert(), "ncc"_a.noconvert(), "frames"_a.noconvert(),
          "still_px"_a, "edges_px"_a.noconvert(), "threads"_a);
}

}  // namespace trackcore::bind
