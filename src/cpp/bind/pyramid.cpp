#include "core/pyramid.hpp"

#include <memory>

#include "bind/arrays.hpp"

namespace trackcore::bind {
namespace {

void build(FramePyramid& pyramid, const py::array& image, int levels, bool bgr, bool copy,
           int threads) {
    const SourceImage source = source_image(image, bgr);
    const py::gil_scoped_release nogil;
    pyramid.build(source, levels, copy, threads);
}

py::array level(const FramePyramid& pyramid, int index) {
    if (index < 0 || index >= pyramid.levels()) throw py::index_error("no such level");
    const ImageView& view = pyramid.level(index);
    const py::dtype type = view.type == PixelType::u8    ? py::dtype::of<std::uint8_t>()
                           : view.type == PixelType::u16 ? py::dtype::of<std::uint16_t>()
                                                         : py::dtype::of<float>();
    return py::array(type, {view.height, view.width},
                     {view.stride, static_cast<std::ptrdiff_t>(pixel_size(view.type))}, view.data);
}

py::typing::Tuple<int, int> size(const FramePyramid& pyramid) {
    return py::make_tuple(pyramid.level(0).width, pyramid.level(0).height);
}

}  // namespace

void register_pyramid(py::module_& m) {
    py::class_<FramePyramid, std::shared_ptr<FramePyramid>>(m, "FramePyramid")
        .def(py::init<>())
        .def("build", &build, "image"_a.noconvert(), "levels"_a, "bgr"_a, "copy"_a, "threads"_a)
        .def("level", &level, "index"_a)
        .def_property_readonly("levels", &FramePyramid::levels)
        .def_property_readonly("size", &size)
        .def_property_readonly("refers_to_source", &FramePyramid::refers_to_source);
}

}  // namespace trackcore::bind
