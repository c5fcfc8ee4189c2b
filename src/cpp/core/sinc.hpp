// Weights of the 8-tap interpolation filter of the precise mode.
#pragma once

#include <cstdint>

namespace trackcore {

/// Kaiser-windowed sinc (beta 5), eight taps, normalised to unit sum, times 2^15 (1 becomes
/// 32767): weights of the samples 3 before to 4 after, for a fraction in units of 2^-15 px. 2048 phases: the position is
/// exact to 2.5e-4 px.
const std::int16_t* sinc_taps(int fraction15);

}  // namespace trackcore
