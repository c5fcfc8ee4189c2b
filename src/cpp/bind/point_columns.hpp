// A list of matches as the columns of `trackcore.PointMatches`.
#pragma once

#include <span>

#include "bind/arrays.hpp"
#include "core/track_points.hpp"

namespace trackcore::bind {

/// xy_px (n, 2), status (n,), then ncc, residual, sigma_px, fb_px (n,)
using PointColumns = py::typing::Tuple<Array<double>, Array<std::uint8_t>, Array<float>,
                                       Array<float>, Array<float>, Array<float>>;

inline PointColumns columns(std::span<const PointMatch> matches) {
    const auto n = static_cast<py::ssize_t>(matches.size());
    Array<double> xy({n, py::ssize_t{2}});
    Array<std::uint8_t> status(n);
    Array<float> ncc(n), residual(n), sigma(n), fb(n);
    double* p = xy.mutable_data();
    for (py::ssize_t i = 0; i < n; ++i) {
        const PointMatch& match = matches[i];
        p[2 * i] = match.xy_px.x;
        p[2 * i + 1] = match.xy_px.y;
        status.mutable_data()[i] = static_cast<std::uint8_t>(match.status);
        ncc.mutable_data()[i] = match.ncc;
        residual.mutable_data()[i] = match.residual;
        sigma.mutable_data()[i] = match.sigma_px;
        fb.mutable_data()[i] = match.fb_px;
    }
    return py::make_tuple(xy, status, ncc, residual, sigma, fb);
}

}  // namespace trackcore::bind
