// Weights of the 8-tap interpolation filter of the final refinement.
#pragma once

#include <cstdint>

namespace trackcore {

/// Eight taps that interpolate band-limited pictures: weights of the samples 3 before to 4 after,
/// for a fraction in units of 2^-15 px, times 2^15 (1 becomes 32767) and always of one sum.
///
/// Least squares over all waves up to 2 rad/px, exact for constants and ramps. The position error
/// of a wave is below 4e-4 px up to 1.6 rad/px; 2048 phases add at most 2.5e-4 px.
/// Source: Laakso, Valimaki, Karjalainen, Laine 1996, "Splitting the unit delay" (general least
/// squares); the two conditions are ours.
const std::int16_t* sinc_taps(int fraction15);

}  // namespace trackcore
