// Arrays of tracks to the core's view, shared by the bindings of the statistics.
#pragma once

#include "bind/arrays.hpp"
#include "core/track_stats.hpp"

namespace trackcore::bind {

/// (n_tracks, n_frames, 2) float64 and (n_frames,) int64 as a view; `ncc` is set by who needs it.
inline TrackView track_view(const Array<double>& xy_px, const Array<std::int64_t>& frames) {
    if (xy_px.ndim() != 3) throw std::invalid_argument("positions of unexpected shape");
    require_shape(xy_px, {xy_px.shape(0), xy_px.shape(1), 2});
    require_shape(frames, {xy_px.shape(1)});
    TrackView view;
    view.xy_px = reinterpret_cast<const Vec2*>(xy_px.data());
    view.frames = frames.data();
    view.n_tracks = xy_px.shape(0);
    view.n_frames = xy_px.shape(1);
    return view;
}

/// Rows of doubles as an array (n, columns) that they are written into.
template <class Row>
Array<double> rows_array(py::ssize_t n) {
    static_assert(sizeof(Row) % sizeof(double) == 0);
    return Array<double>({n, static_cast<py::ssize_t>(sizeof(Row) / sizeof(double))});
}

}  // namespace trackcore::bind
