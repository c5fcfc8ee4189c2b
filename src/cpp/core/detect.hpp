// Corners: the places of a frame that are worth tracking.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/types.hpp"

namespace trackcore {

/// Meanings, units and defaults: `trackcore.FeatureOptions`.
struct FeatureOptions {
    int max_features;
    double quality;
    double min_distance;
    int block;
    int cells;
    double min_score;
};

/// Where features may be put: anywhere the entry is not 0. A mask smaller than the image is
/// stretched over it (entry of pixel x: x * width / image width), so that one entry can stand for
/// a cell; what it rules out costs no time.
struct MaskView {
    const std::uint8_t* data = nullptr;
    std::ptrdiff_t stride = 0;  ///< from one row to the next
    int width = 0;
    int height = 0;
};

/// How much of the features each cell of the frame should get, beside the others: stretched over
/// the image as a mask is. 0: none at all. Only where features are balanced over `cells`.
struct WeightView {
    const float* data = nullptr;  ///< row after row
    int width = 0;
    int height = 0;
    float mean = 1.0f;
};

struct Feature {
    Vec2 xy_px;
    float score;  ///< smaller eigenvalue of the mean of g g^T over the block [grey level^2 / px^2]
};

/// Finds the corners whose score is a local maximum and more than `quality` times the largest one
/// in the mask, and keeps the strongest that lie no nearer than `min_distance` to a stronger one.
///
/// Derivatives, products, sums, eigenvalues and maxima of a row are made while it is in the first
/// cache; no intermediate image exists. With `cells`, the frame is divided into that many columns
/// of about square cells. Each has an equal share of `max_features`; what poor cells leave is
/// shared out again among the others. Existing features count as part of their cell's share.
/// Sources: Shi & Tomasi 1994, "Good features to track"; derivative and order as OpenCV has them.
///
/// @param existing_px  no feature is put nearer than `min_distance` to these; NaN is ignored
/// @param mask         null: anywhere
/// @param threads      0 = all; the result does not depend on it
/// @param out          strongest first; what it held is replaced
/// @param weights      null: all cells alike
void detect_features(const ImageView& image, const FeatureOptions& options,
                     std::span<const Vec2> existing_px, const MaskView* mask, int threads,
                     std::vector<Feature>& out, const WeightView* weights = nullptr);

}  // namespace trackcore
