// The vocabulary every part of the core shares.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace trackcore {

/// Image position [px]: x right, y down, pixel centres at integers.
struct Vec2 {
    double x = 0.0;
    double y = 0.0;
};

/// Homography, row major: maps a pixel of one image to a pixel of another.
struct Mat3 {
    double m[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
};

enum class PixelType : std::uint8_t { u8 = 0, u16 = 1, f32 = 2 };

/// Bytes of one sample.
constexpr std::ptrdiff_t pixel_size(PixelType type) {
    return type == PixelType::u8 ? 1 : type == PixelType::u16 ? 2 : 4;
}

/// One grey image that somebody else owns. Rows may run in either direction.
struct ImageView {
    const void* data = nullptr;
    std::ptrdiff_t stride = 0;  ///< bytes from one row to the next; may be negative
    int width = 0;
    int height = 0;
    PixelType type = PixelType::u8;
    bool slack = false;  ///< 64 bytes past the end of any row may be read

    template <class Pixel>
    const Pixel* row(int y) const {
        return reinterpret_cast<const Pixel*>(static_cast<const char*>(data) + y * stride);
    }
};

inline bool finite(Vec2 v) { return std::isfinite(v.x) && std::isfinite(v.y); }

/// Whether a position lies on a pixel of the image; NaN does not.
inline bool inside(Vec2 v, const ImageView& image) {
    return v.x >= -0.5 && v.y >= -0.5 && v.x <= image.width - 0.5 && v.y <= image.height - 0.5;
}

/// Why a point has a position, or has none. Same values as `trackcore.PointStatus`.
enum class PointStatus : std::uint8_t {
    tracked = 0,
    out_of_frame = 1,
    low_texture = 2,
    not_converged = 3,
    low_correlation = 4,
    failed_fb = 5,
    lost = 6,
    unseen = 7,
};

/// Brightness change allowed between two patches; the value is the number of its parameters.
enum class Photometric : std::uint8_t { none = 0, bias = 1, gain_bias = 2 };

/// How a patch may deform between two images.
enum class MotionModel : std::uint8_t {
    loc = 0,
    loc_rot = 1,
    loc_scale = 2,
    loc_rot_scale = 3,
    affine = 4,
    perspective = 5,
};

}  // namespace trackcore
