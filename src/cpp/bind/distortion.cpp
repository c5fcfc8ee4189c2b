#include "core/distortion.hpp"

#include "bind/arrays.hpp"

namespace trackcore::bind {
namespace {

using Reals = Array<double>;

template <class Direction>
Reals through(Direction direction, const Reals& uv_px, const Reals& lens) {
    static_assert(sizeof(Lens) == 14 * sizeof(double));
    require_shape(uv_px, {uv_px.shape(0), 2});
    require_shape(lens, {14});
    Reals out({uv_px.shape(0), py::ssize_t{2}});
    const auto* values = reinterpret_cast<const Lens*>(lens.data());
    const double* in = uv_px.data();
    double* px = out.mutable_data();
    {
        const py::gil_scoped_release nogil;
        direction(*values, in, uv_px.shape(0), px);
    }
    return out;
}

Reals distorted(const Reals& uv_px, const Reals& lens) { return through(&distort, uv_px, lens); }
Reals undistorted(const Reals& uv_px, const Reals& lens) {
    return through(&undistort, uv_px, lens);
}

}  // namespace

void register_distortion(py::module_& m) {
    m.def("distort", &distorted, "uv_px"_a.noconvert(), "lens"_a.noconvert());
    m.def("undistort", &undistorted, "uv_px"_a.noconvert(), "lens"_a.noconvert());
}

}  // namespace trackcore::bind
