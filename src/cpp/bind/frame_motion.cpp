#include "core/frame_motion.hpp"

#include "bind/stats_view.hpp"

namespace trackcore::bind {
namespace {

Array<double> motion(const Array<double>& xy_px, const Array<std::int64_t>& frames,
                     const Array<std::int64_t>& pairs, double center_x, double center_y,
                     double length_px, bool epipoles, int threads) {
    static_assert(sizeof(FramePair) == 2 * sizeof(std::int64_t));
    const TrackView view = track_view(xy_px, frames);
    require_shape(pairs, {pairs.shape(0), 2});
    for (py::ssize_t i = 0; i < pairs.size(); ++i)
        if (pairs.data()[i] < 0 || pairs.data()[i] >= view.n_frames)
            throw std::invalid_argument("index of no frame");
    const std::span<const FramePair> which{reinterpret_cast<const FramePair*>(pairs.data()),
                                           static_cast<std::size_t>(pairs.shape(0))};
    Array<double> rows = rows_array<PairRow>(pairs.shape(0));
    auto* out = reinterpret_cast<PairRow*>(rows.mutable_data());
    {
        const py::gil_scoped_release nogil;
        frame_motion(view, which, {center_x, center_y}, length_px, epipoles, threads, out);
    }
    return rows;
}

}  // namespace

void register_frame_motion(py::module_& m) {
    m.def("frame_motion", &motion, "xy_px"_a.noconvert(), "frames"_a.noconvert(),
          "pairs"_a.noconvert(), "center_x"_a, "center_y"_a, "length_px"_a, "epipoles"_a,
          "threads"_a);
}

}  // namespace trackcore::bind
