#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <optional>

#include "bind/arrays.hpp"
#include "core/ball_detector.hpp"

namespace trackcore::bind {
namespace {

using Rows = Array<double>;
constexpr py::ssize_t columns = 15;

BallOptions ball_options(double threshold_sigma, double min_contrast, double background_rate,
                         int polarity, double min_radius, double max_radius, double max_streak,
                         double min_snr, double min_motion, double min_circularity,
                         double min_confidence, int merge_gap, int lane_margin, int max_candidates,
                         int max_runs, int max_fit_pixels, bool refine, bool keep_rejected) {
    return {{threshold_sigma, min_contrast, background_rate},
            static_cast<BallPolarity>(polarity),
            min_radius,
            max_radius,
            max_streak,
            min_snr,
            min_motion,
            min_circularity,
            min_confidence,
            merge_gap,
            lane_margin,
            max_candidates,
            max_runs,
            max_fit_pixels,
            refine,
            keep_rejected};
}

/// uint8 (h, w), (h, w, 2) YUYV whose first channel is the luma, or (h, w, 3 | 4).
SourceImage ball_frame(const py::array& frame, bool bgr) {
    const bool yuyv = frame.ndim() == 3 && frame.shape(2) == 2;
    if (!frame.dtype().equal(py::dtype::of<std::uint8_t>()))
        throw std::invalid_argument("frame of unexpected dtype");
    if (!yuyv) {
        SourceImage source = source_image(frame, bgr);
        if (source.grey.width > 1 << 15 || source.grey.height > 1 << 15)
            throw std::invalid_argument("frame too large");
        return source;
    }
    if (frame.size() == 0 || frame.shape(0) > 1 << 15 || frame.shape(1) > 1 << 15)
        throw std::invalid_argument("frame of unexpected shape");
    SourceImage source;
    source.grey = {frame.data(),
                   frame.strides(0),
                   static_cast<int>(frame.shape(1)),
                   static_cast<int>(frame.shape(0)),
                   PixelType::u8,
                   false};
    source.pixel_stride = frame.strides(1);
    return source;
}

/// By row: u, v, radius, area, contrast, circularity, elongation, streak u and v, score,
/// confidence, covariance uu, uv, vv, refined. Then the rules, and whether it was too much.
py::typing::Tuple<Rows, Array<std::uint8_t>, bool> process(
    BallDetector& detector, const py::array& frame, bool bgr,
    const std::optional<std::array<int, 4>>& window) {
    const SourceImage source = ball_frame(frame, bgr);
    {
        const py::gil_scoped_release nogil;
        if (window) {
            const PixelBox box{(*window)[0], (*window)[1], (*window)[2], (*window)[3]};
            detector.process(source, &box);
        } else {
            detector.process(source, nullptr);
        }
    }
    const auto balls = detector.candidates();
    const auto n = static_cast<py::ssize_t>(balls.size());
    Rows rows({columns, n});
    Array<std::uint8_t> rules(n);
    double* out = rows.mutable_data();
    for (py::ssize_t i = 0; i < n; ++i) {
        const BallCandidate& b = balls[i];
        const double values[columns] = {b.xy_px.x,       b.xy_px.y,       b.radius,
                                        b.area,          b.contrast,      b.circularity,
                                        b.elongation,    b.streak.x,      b.streak.y,
                                        b.score,         b.confidence,    b.covariance[0],
                                        b.covariance[1], b.covariance[2], b.refined ? 1.0 : 0.0};
        for (py::ssize_t k = 0; k < columns; ++k) out[k * n + i] = values[k];
        rules.mutable_data()[i] = static_cast<std::uint8_t>(b.rule);
    }
    return py::make_tuple(rows, rules, detector.overloaded());
}

/// Grey levels (h, w), and the noise of each block and row (h, blocks); empty before a frame came.
py::typing::Tuple<Array<float>, Array<float>> background(BallDetector& detector) {
    BallBackground& scene = detector.background();
    const int h = scene.n_frames() > 0 ? scene.height() : 0;
    const py::ssize_t width = scene.width(), blocks = scene.blocks();
    Array<float> grey({py::ssize_t{h}, width}), noise({py::ssize_t{h}, blocks});
    float *g = grey.mutable_data(), *s = noise.mutable_data();
    for (int y = 0; y < h; ++y) {
        const std::uint8_t *high = scene.high(y), *low = scene.low(y);
        for (py::ssize_t x = 0; x < width; ++x)
            *g++ = static_cast<float>((high[x] << 8 | low[x]) - 128) / 256.0f;
        for (py::ssize_t i = 0; i < blocks; ++i)
            *s++ = static_cast<float>(scene.sigma(static_cast<int>(i) * simd::ball_block, y));
    }
    return py::make_tuple(grey, noise);
}

}  // namespace

void register_balls(py::module_& m) {
    py::class_<BallOptions>(m, "BallOptions")
        .def(py::init(&ball_options), py::kw_only(), "threshold_sigma"_a, "min_contrast"_a,
             "background_rate"_a, "polarity"_a, "min_radius"_a, "max_radius"_a, "max_streak"_a,
             "min_snr"_a, "min_motion"_a, "min_circularity"_a, "min_confidence"_a, "merge_gap"_a,
             "lane_margin"_a, "max_candidates"_a, "max_runs"_a, "max_fit_pixels"_a, "refine"_a,
             "keep_rejected"_a);
    py::class_<BallDetector>(m, "BallDetector")
        .def(py::init([](const BallOptions& options, const Array<double>& lane_px) {
                 return std::make_unique<BallDetector>(options, points(lane_px));
             }),
             "options"_a, "lane_px"_a.noconvert())
        .def("process", &process, "frame"_a.noconvert(), "bgr"_a, "window"_a.none(true))
        .def("background", &background)
        .def("reset", &BallDetector::reset)
        .def_property_readonly("capacity", &BallDetector::capacity);
}

}  // namespace trackcore::bind
