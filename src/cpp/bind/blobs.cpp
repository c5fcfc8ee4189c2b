#include <algorithm>
#include <cmath>

#include "bind/arrays.hpp"
#include "core/blob_fit.hpp"
#include "core/blob_search.hpp"

namespace trackcore::bind {
namespace {

constexpr py::ssize_t start_columns = 4, fit_columns = 10;

ImageView view_of(const Array<float>& image) {
    if (image.ndim() != 2 || image.size() == 0)
        throw std::invalid_argument("image of unexpected shape");
    return {image.data(),
            image.strides(0),
            static_cast<int>(image.shape(1)),
            static_cast<int>(image.shape(0)),
            PixelType::f32,
            false};
}

/// Gives (n, 4): x, y, radius, contrast.
Array<double> find(const Array<float>& image, double min_radius, double max_radius,
                   double min_contrast, double min_snr, double max_elongation, double noise,
                   bool bright, bool dark) {
    const ImageView view = view_of(image);
    if (!(min_radius >= 1 && max_radius >= min_radius && max_radius < 4096))
        throw std::invalid_argument("no such radius");
    std::vector<BlobStart> found;
    {
        const py::gil_scoped_release nogil;
        found = find_blobs(view, {min_radius, max_radius, min_contrast, min_snr, max_elongation,
                                  noise, bright, dark});
    }
    Array<double> rows({static_cast<py::ssize_t>(found.size()), start_columns});
    double* out = rows.mutable_data();
    for (const BlobStart& s : found)
        for (const double value : {s.xy_px.x, s.xy_px.y, s.radius, s.contrast}) *out++ = value;
    return rows;
}

/// starts (n, 4): x, y, radius, contrast. Gives (10, n): x, y, radius, contrast, confidence, inner,
/// outer, covariance xx, xy, yy; and which of them were fitted.
py::typing::Tuple<Array<double>, Array<bool>> fit(const Array<float>& image,
                                                  const Array<double>& starts, double noise,
                                                  double most_radius) {
    const ImageView view = view_of(image);
    require_shape(starts, {starts.shape(0), start_columns});
    if (!(most_radius > 0 && most_radius < 4096)) throw std::invalid_argument("no such radius");
    const auto n = starts.shape(0);
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

/// discs (n, 4), strongest first: x, y, radius, contrast. Gives the indices of those that stay.
Array<std::int32_t> apart(const Array<double>& discs) {
    require_shape(discs, {discs.shape(0), start_columns});
    std::vector<BlobStart> blobs;
    const double* d = discs.data();
    for (py::ssize_t i = 0; i < discs.shape(0); ++i, d += start_columns) {
        const bool fine = std::abs(d[0]) < 1e6 && std::abs(d[1]) < 1e6 && d[2] > 0 && d[2] < 1e6;
        if (!fine) throw std::invalid_argument("no such disc");
        blobs.push_back({{d[0], d[1]}, d[2], d[3]});
    }
    const std::vector<std::int32_t> kept = without_overlaps(blobs);
    Array<std::int32_t> out(static_cast<py::ssize_t>(kept.size()));
    std::copy(kept.begin(), kept.end(), out.mutable_data());
    return out;
}

}  // namespace

void register_blobs(py::module_& m) {
    m.def("find_blobs", &find, "image"_a.noconvert(), "min_radius"_a, "max_radius"_a,
          "min_contrast"_a, "min_snr"_a, "max_elongation"_a, "noise"_a, "bright"_a, "dark"_a);
    m.def("without_overlaps", &apart, "discs"_a.noconvert());
    m.def("fit_blobs", &fit, "image"_a.noconvert(), "starts"_a.noconvert(), "noise"_a,
          "most_radius"_a);
}

}  // namespace trackcore::bind
