#include "core/blob_search.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "core/simd/blobs.hpp"

TRACKCORE_DEFINE_KERNELS(BlobKernels, blob_kernels)

namespace trackcore {
namespace {

constexpr int per_octave = 3, n_images = per_octave + 3;
constexpr double reach_sigmas = 4.0;  // of a Gaussian's taps
constexpr double inner_sigma = 0.5;   // blur that an image is supposed to have already
const double scale_step = std::cbrt(2.0);
const double disc_response = 0.736 * std::log(scale_step);  // of contrast 1, at its best scale

int padded(int width) { return (width / simd::blob_lanes + 2) * simd::blob_lanes; }

/// The last rows of an image that is made row by row from another, blurred.
class BlurredRows {
  public:
    /// @param kept  rows that others still need when a new one is made
    void start(int width, int height, double sigma, int kept) {
        width_ = width, height_ = height, kept_ = std::min(kept, height), made_ = 0;
        reach_ = std::max(static_cast<int>(std::lround(reach_sigmas * sigma)), 1);
        taps_.resize(reach_ + 1);
        const auto gauss = [sigma](int k) { return std::exp(-0.5 * k * k / (sigma * sigma)); };
        double total = 0.0;
        for (int k = 0; k <= reach_; ++k) total += (k > 0 ? 2 : 1) * gauss(k);
        for (int k = 0; k <= reach_; ++k) taps_[k] = static_cast<float>(gauss(k) / total);
        rows_.assign(static_cast<std::size_t>(kept_) * padded(width), 0.0f);
        line_.assign(static_cast<std::size_t>(padded(width)) + 2 * reach_, 0.0f);
        around_.resize(2 * reach_ + 1);
    }
    int made() const { return made_; }
    int reach() const { return reach_; }
    int height() const { return height_; }
    const float* row(int y) const {
        return rows_.data() + static_cast<std::ptrdiff_t>(y % kept_) * padded(width_);
    }
    /// Makes the next row if `source` has made what it takes.
    template <class Source>
    bool advance(const Source& source) {
        if (made_ == height_ || source.made() < std::min(made_ + reach_ + 1, height_)) return false;
        for (int k = -reach_; k <= reach_; ++k)
            around_[k + reach_] = source.row(std::clamp(made_ + k, 0, height_ - 1));
        float* out = rows_.data() + static_cast<std::ptrdiff_t>(made_ % kept_) * padded(width_);
        simd::blob_kernels().blur(around_.data(), width_, taps_.data(), reach_, line_.data(), out);
        ++made_;
        return true;
    }

  private:
    int width_ = 0, height_ = 0, kept_ = 0, made_ = 0, reach_ = 0;
    std::vector<float> rows_, taps_, line_;
    std::vector<const float*> around_;
};

/// A whole image, rows padded.
struct Whole {
    int width, height;
    std::vector<float> data;

    Whole(int w, int h) : width(w), height(h), data(static_cast<std::size_t>(padded(w)) * h) {}
    int made() const { return height; }
    float* row(int y) { return data.data() + static_cast<std::ptrdiff_t>(y) * padded(width); }
    const float* row(int y) const {
        return data.data() + static_cast<std::ptrdiff_t>(y) * padded(width);
    }
};

class Searcher {
  public:
    explicit Searcher(const BlobSearch& search) : search_(search) {
        first_ = search.min_radius / std::numbers::sqrt2 / std::pow(scale_step, 1.5);
        const double octaves = std::log2(search.max_radius / search.min_radius);
        last_scale_ = static_cast<int>(std::ceil(octaves * per_octave)) + 1;
    }

    std::vector<BlobStart> operator()(const ImageView& image) {
        Whole whole(image.width, image.height);
        for (int y = 0; y < image.height; ++y)
            std::memcpy(whole.row(y), image.row<float>(y),
                        static_cast<std::size_t>(image.width) * sizeof(float));
        double had = inner_sigma;
        for (int o = 0; o * per_octave < last_scale_; ++o) {
            if (std::min(whole.width, whole.height) < 3) break;
            Whole half((whole.width + 1) / 2, (whole.height + 1) / 2);
            octave(whole, had, o, half);
            whole = std::move(half);
            had = first_;
        }
        return std::move(starts_);
    }

  private:
    static double more(double had, double wanted) {
        return std::sqrt(std::max(wanted * wanted - had * had, 1e-4));
    }
    /// Of image i of an octave, in its own pixels: the same in all of them.
    double sigma(int i) const { return first_ * std::pow(scale_step, i); }

    /// All scales of an octave at once, row by row, so that nothing leaves the second cache.
    void octave(const Whole& whole, double had, int o, Whole& half) {
        const int scales = std::clamp(last_scale_ - o * per_octave, 1, per_octave);
        const int last = scales + 2;
        found_.resize(static_cast<std::size_t>(whole.width) + 1);
        // Others look back by what they lag behind, and the next in line by its own window.
        int lag = 4, kept = lag;
        for (int i = last; i >= 0; --i) {
            const double blur = i > 0 ? more(sigma(i - 1), sigma(i)) : more(had, first_);
            images_[i].start(whole.width, whole.height, blur, kept);
            lag += images_[i].reach() + 2;
            kept = std::max(lag, 2 * images_[i].reach() + 3);
        }
        const auto step = [&](int i) {
            const bool made =
                i > 0 ? images_[i].advance(images_[i - 1]) : images_[0].advance(whole);
            if (!made) return;
            const int y = images_[i].made() - 1;
            if (i == scales && y % 2 == 0)
                for (int x = 0; x < half.width; ++x) half.row(y / 2)[x] = images_[i].row(y)[2 * x];
            if (i == last && y >= 2) look(whole.width, y - 1, scales, o);
        };
        while (images_[last].made() < whole.height)
            for (int i = 0; i <= last; ++i) step(i);
    }

    void look(int width, int y, int scales, int o) {
        const float* rows[n_images][3];
        for (int i = 0; i < scales + 3; ++i)
            for (int k = 0; k < 3; ++k) rows[i][k] = images_[i].row(y + k - 1);
        const double size = std::ldexp(1.0, o);
        for (int scale = 1; scale <= scales; ++scale) {
            const double radius = std::numbers::sqrt2 * sigma(scale) * std::sqrt(scale_step) * size;
            const double by_noise =
                search_.min_snr * search_.noise / (std::sqrt(std::numbers::pi) * radius);
            const double least = std::max(search_.min_contrast, by_noise) / 2 * disc_response;
            for (const int sign : {1, -1}) {
                if (!(sign > 0 ? search_.bright : search_.dark)) continue;
                const int n =
                    simd::blob_kernels().maxima(rows + scale - 1, width, static_cast<float>(sign),
                                                static_cast<float>(least), found_.data());
                for (int k = 0; k < n; ++k) add(rows + scale, found_[k], y, radius, size);
            }
        }
    }

    /// The maximum between pixels, by a parabola, unless it is too long for a blob.
    void add(const float* const (*rows)[3], int x, int y, double radius, double size) {
        const auto at = [&](int dx, int dy) {
            return static_cast<double>(rows[0][1 + dy][x + dx] - rows[1][1 + dy][x + dx]);
        };
        const double here = at(0, 0);
        const double xx = at(1, 0) + at(-1, 0) - 2 * here, yy = at(0, 1) + at(0, -1) - 2 * here;
        const double xy = (at(1, 1) + at(-1, -1) - at(1, -1) - at(-1, 1)) / 4;
        const double trace = xx + yy, det = xx * yy - xy * xy;
        const double longest = search_.max_elongation, ratio = longest * longest;
        // curvatures go as the square of lengths
        if (!(trace * trace * ratio < (1 + ratio) * (1 + ratio) * det)) return;
        const double gx = (at(1, 0) - at(-1, 0)) / 2, gy = (at(0, 1) - at(0, -1)) / 2;
        const double dx = std::clamp((xy * gy - yy * gx) / det, -0.5, 0.5);
        const double dy = std::clamp((xy * gx - xx * gy) / det, -0.5, 0.5);
        starts_.push_back({{(x + dx) * size, (y + dy) * size}, radius, here / disc_response});
    }

    const BlobSearch& search_;
    double first_;
    int last_scale_;
    BlurredRows images_[n_images];
    std::vector<int> found_;
    std::vector<BlobStart> starts_;
};

}  // namespace

std::vector<BlobStart> find_blobs(const ImageView& image, const BlobSearch& search) {
    if (std::min(image.width, image.height) < 3) return {};
    return Searcher(search)(image);
}

std::vector<std::int32_t> without_overlaps(std::span<const BlobStart> strongest_first) {
    constexpr double apart = 0.75;  // of the larger radius
    double side = 2.0, right = 0.0, bottom = 0.0;
    for (const BlobStart& disc : strongest_first) {
        side = std::max(side, 2 * disc.radius);
        right = std::max(right, disc.xy_px.x);
        bottom = std::max(bottom, disc.xy_px.y);
    }
    // Cells of the largest diameter: what overlaps lies in the nine around.
    const auto cell = [side](double at) { return static_cast<int>(std::max(at, 0.0) / side) + 1; };
    const int columns = cell(right) + 2;
    std::vector<std::int32_t> first(static_cast<std::size_t>(columns) * (cell(bottom) + 2), -1);
    std::vector<std::int32_t> next(strongest_first.size(), -1), kept;
    for (std::size_t i = 0; i < strongest_first.size(); ++i) {
        const BlobStart& disc = strongest_first[i];
        const int at = cell(disc.xy_px.y) * columns + cell(disc.xy_px.x);
        bool alone = true;
        for (const int row : {-columns, 0, columns})
            for (int k = at + row - 1; k <= at + row + 1 && alone; ++k)
                for (std::int32_t j = first[k]; j >= 0 && alone; j = next[j]) {
                    const BlobStart& other = strongest_first[j];
                    alone =
                        std::hypot(other.xy_px.x - disc.xy_px.x, other.xy_px.y - disc.xy_px.y) >=
                        apart * std::max(other.radius, disc.radius);
                }
        if (!alone) continue;
        const auto self = static_cast<std::int32_t>(i);
        next[i] = first[at];
        first[at] = self;
        kept.push_back(self);
    }
    return kept;
}

}  // namespace trackcore
