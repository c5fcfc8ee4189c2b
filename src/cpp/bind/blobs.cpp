#include "bind/arrays.hpp"
#include "core/blob_fit.hpp"

namespace trackcore::bind {
namespace {

constexpr py::ssize_t start_columns = 4, fit_columns = 10;

/// starts (n, 4): x, y, radius, contrast. Gives (10, n): x, y, radius, contrast, confidence, inner,
/// outer, covariance xx, xy, yy; and which of them were fitted.
py::typing::Tuple<Array<double>, Array<bool>> fit(const Array<float>& image,
                                                  const Array<double>& starts, double noise,
                                                  double most_radius) {
    if (image.ndim() != 2 || image.size() == 0)
        throw std::invalid_argument("image of unexpected shape");
    require_shape(starts, {starts.shape(0), start_columns});
    if (!(most_radius > 0 && most_radius < 4096)) throw std::invalid_argument("no such radius");
    const auto n = starts.shape(0);
    const ImageView view{image.data(),
                         image.strides(0),
                         static_cast<int>(image.shape(1)),
                         static_cast<int>(image.shape(0)),
                         PixelType::f32,
                         false};
    std::vector<BlobStart> blobs(n);
    std::vector<BlobFit> found(n);
    const double* s = starts.data();
    for (py::ssize_t i = 0; i < n; ++i, s += start_columns) blobs[i] = {{s[0], s[1]}, s[2], s[3]};
    {
        const py::gil_scoped_release nogil;
        fit_blobs(view, blobs, noise, most_radius, found);
    }
    Array<double> rows({fit_columns, n});
    Array<bool> ok(n);
    double* out = rows.mutable_data();
    for (py::ssize_t i = 0; i < n; ++i) {
        const BlobFit& f = found[i];
        const double values[fit_columns] = {
            f.xy_px.x, f.xy_px.y, f.radius,        f.contrast,      f.confidence,
            f.inner,   f.outer,   f.covariance[0], f.covariance[1], f.covariance[2]};
        for (py::ssize_t k = 0; k < fit_columns; ++k) out[k * n + i] = values[k];
        ok.mutable_data()[i] = f.ok;
    }
    return py::make_tuple(rows, ok);
}

}  // namespace

void register_blobs(py::module_& m) {
    m.def("fit_blobs", &fit, "image"_a.noconvert(), "starts"_a.noconvert(), "noise"_a,
          "most_radius"_a);
}

}  // namespace trackcore::bind
