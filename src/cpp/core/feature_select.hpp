// Which of many corners to keep: strongest first, well apart, balanced over the frame.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/detect.hpp"

namespace trackcore {

/// A local maximum. Strength has any positive scale.
struct Corner {
    float strength;
    std::int32_t x, y;
};

/// Chooses at most `options.max_features` of `corners`. `score_scale` turns
/// strengths into scores. Of equally strong corners the lower, then the more right one comes
/// first, as in OpenCV. `weights` may be null.
void select_features(const std::vector<Corner>& corners, int width, int height, float score_scale,
                     const FeatureOptions& options, std::span<const Vec2> existing_px,
                     const WeightView* weights, std::vector<Feature>& out);

}  // namespace trackcore
