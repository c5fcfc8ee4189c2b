#include "core/triangulate.hpp"

#include <pybind11/stl.h>

#include <optional>

#include "bind/arrays.hpp"

namespace trackcore::bind {
namespace {

using Reals = Array<double>;

py::typing::Tuple<Reals, Array<std::uint8_t>, std::optional<Reals>, Reals, Reals, Reals>
triangulate_points(const Reals& P_img_world, const Reals& uv_px, int method, double sigma_px,
                   double robust_px, double least_angle_rad, bool covariance, int threads) {
    const py::ssize_t n_views = P_img_world.shape(0), n = uv_px.shape(0);
    require_shape(P_img_world, {n_views, 3, 4});
    require_shape(uv_px, {n, n_views, 2});
    if (n_views > 1 << 20) throw std::invalid_argument("too many views");
    if (method < 0 || method > 2) throw std::invalid_argument("unknown method");
    Reals X_world({n, py::ssize_t{3}}), reprojection_px(n), view_error_px({n, n_views});
    Reals angle_rad(n);
    Array<std::uint8_t> status(n);
    std::optional<Reals> covariances;
    TriangulatedPoints out{
        X_world.mutable_data(),         status.mutable_data(),        nullptr,
        reprojection_px.mutable_data(), view_error_px.mutable_data(), angle_rad.mutable_data()};
    if (covariance) {
        covariances.emplace(std::initializer_list<py::ssize_t>{n, 3, 3});
        out.covariance = covariances->mutable_data();
    }
    const TriangulateOptions options{static_cast<TriangulationMethod>(method), sigma_px, robust_px,
                                     least_angle_rad, threads};
    const double *P = P_img_world.data(), *uv = uv_px.data();
    {
        const py::gil_scoped_release nogil;
        triangulate(P, static_cast<int>(n_views), uv, n, options, out);
    }
    return py::make_tuple(X_world, status, covariances, reprojection_px, view_error_px, angle_rad);
}

int bad_projection(const Reals& P_img_world) {
    require_shape(P_img_world, {P_img_world.shape(0), 3, 4});
    return first_without_center(P_img_world.data(), static_cast<int>(P_img_world.shape(0)));
}

}  // namespace

void register_triangulate(py::module_& m) {
    m.def("triangulate", &triangulate_points, "P_img_world"_a.noconvert(), "uv_px"_a.noconvert(),
          "method"_a, "sigma_px"_a, "robust_px"_a, "least_angle_rad"_a, "covariance"_a,
          "threads"_a);
    m.def("first_without_center", &bad_projection, "P_img_world"_a.noconvert());
}

}  // namespace trackcore::bind
