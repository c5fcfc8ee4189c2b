// numpy arrays <-> the core's views. Messages for people live in Python; what is thrown here only
// guards memory.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

#include <initializer_list>
#include <span>
#include <stdexcept>

#include "core/pyramid.hpp"
#include "core/types.hpp"

namespace trackcore::bind {

namespace py = pybind11;
using namespace py::literals;

/// A C-contiguous array of exactly this type; nothing is converted on the way in.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

inline void require_shape(const py::array& array, std::initializer_list<py::ssize_t> shape) {
    bool fits = array.ndim() == static_cast<py::ssize_t>(shape.size());
    py::ssize_t axis = 0;
    for (const py::ssize_t size : shape) fits = fits && array.shape(axis++) == size;
    if (!fits) throw std::invalid_argument("array of unexpected shape");
}

/// (n, 2) float64 as points.
inline std::span<const Vec2> points(const Array<double>& xy_px) {
    static_assert(sizeof(Vec2) == 2 * sizeof(double));
    require_shape(xy_px, {xy_px.shape(0), 2});
    return {reinterpret_cast<const Vec2*>(xy_px.data()), static_cast<std::size_t>(xy_px.shape(0))};
}

/// (h, w) or (h, w, channels) of uint8, uint16 or float32, any strides, as a source image.
inline SourceImage source_image(const py::array& image, bool bgr) {
    SourceImage source;
    const auto type = image.dtype();
    if (type.equal(py::dtype::of<std::uint8_t>()))
        source.grey.type = PixelType::u8;
    else if (type.equal(py::dtype::of<std::uint16_t>()))
        source.grey.type = PixelType::u16;
    else if (type.equal(py::dtype::of<float>()))
        source.grey.type = PixelType::f32;
    else
        throw std::invalid_argument("image of unexpected dtype");
    const bool colour = image.ndim() == 3;
    if ((image.ndim() != 2 && !colour) || image.size() == 0)
        throw std::invalid_argument("image of unexpected shape");
    source.channels = colour ? static_cast<int>(image.shape(2)) : 1;
    if (source.channels != 1 && source.channels != 3 && source.channels != 4)
        throw std::invalid_argument("image of unexpected number of channels");
    constexpr py::ssize_t longest = 1 << 24;
    if (image.shape(0) > longest || image.shape(1) > longest)
        throw std::invalid_argument("image too large");
    source.grey.data = image.data();
    source.grey.stride = image.strides(0);
    source.grey.height = static_cast<int>(image.shape(0));
    source.grey.width = static_cast<int>(image.shape(1));
    source.pixel_stride = image.strides(1);
    source.channel_stride = colour ? image.strides(2) : 0;
    source.bgr = bgr;
    return source;
}

}  // namespace trackcore::bind
