#include "core/frame_stats.hpp"

#include "bind/arrays.hpp"

namespace trackcore::bind {
namespace {

py::typing::Tuple<Array<double>, Array<std::int64_t>> stats(const FramePyramid& image, int level,
                                                            unsigned groups, int columns, int rows,
                                                            int row_step, float edge, float white,
                                                            int threads) {
    if (level < 0 || level >= image.levels()) throw py::index_error("no such level");
    if (columns < 1 || rows < 1 || row_step < 1) throw std::invalid_argument("no such blocks");
    const ImageView& view = image.level(level);
    FrameStats found;
    {
        const py::gil_scoped_release nogil;
        frame_stats(view, {groups, columns, rows, row_step, edge, white}, threads, found);
    }
    Array<double> blocks(
        {py::ssize_t{FrameStats::measures}, py::ssize_t{rows}, py::ssize_t{columns}});
    double* next = blocks.mutable_data();
    for (const auto& values : found.measure) next = std::copy(values.begin(), values.end(), next);
    Array<std::int64_t> histogram(FrameStats::bins);
    std::copy(std::begin(found.histogram), std::end(found.histogram), histogram.mutable_data());
    return py::make_tuple(blocks, histogram);
}

}  // namespace

void register_frame_stats(py::module_& m) {
    m.def("frame_stats", &stats, "image"_a, "level"_a, py::kw_only(), "groups"_a, "columns"_a,
          "rows"_a, "row_step"_a, "edge"_a, "white"_a, "threads"_a);
}

}  // namespace trackcore::bind
