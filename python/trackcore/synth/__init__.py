"""Pictures whose right answer is known exactly, for tests, benchmarks and the demo.

Nothing here interpolates a picture. Textures are formulas, evaluated where the geometry says and
averaged over each pixel's area, so the truth has no interpolator's bias in it (`warpAffine`
as ground truth is off by up to 0.06 px).

Grey levels are 0 .. 255 everywhere; uint16 pictures hold 256 times the grey level. Pixel centres
are at integers, x right, y down. The same seed gives the same bytes on the same machine.
"""

from trackcore.synth._formulas import GaborNoise, Mosaic, PlaneWaves, Texture
from trackcore.synth.balls import (
    Ball,
    BallClip,
    ball_clip,
    ball_coverage,
    ball_crlb_px,
    draw_balls,
)
from trackcore.synth.cameras import project, ring_of_cameras
from trackcore.synth.filming import FilmedPitch, StereoPitch, film_pitch, see_pitch
from trackcore.synth.images import crlb_px, gradient, render
from trackcore.synth.motion import (
    ImagePair,
    LoopClip,
    apply_warp,
    loop_clip,
    pair,
    warps,
)
from trackcore.synth.pitches import Flight, Throw, fly, random_throw
from trackcore.synth.scene import ParallaxScene
from trackcore.synth.stadium import PitchScene
from trackcore.synth.textures import (
    TEXTURES,
    corners,
    edge_only,
    gabor_noise,
    low_gradient,
    pink_noise,
    plane_waves,
    repetitive,
    white_noise,
)

__all__ = [
    "TEXTURES",
    "Ball",
    "BallClip",
    "FilmedPitch",
    "Flight",
    "GaborNoise",
    "ImagePair",
    "LoopClip",
    "Mosaic",
    "ParallaxScene",
    "PitchScene",
    "PlaneWaves",
    "StereoPitch",
    "Texture",
    "Throw",
    "apply_warp",
    "ball_clip",
    "ball_coverage",
    "ball_crlb_px",
    "corners",
    "crlb_px",
    "draw_balls",
    "edge_only",
    "film_pitch",
    "fly",
    "gabor_noise",
    "gradient",
    "loop_clip",
    "low_gradient",
    "pair",
    "pink_noise",
    "plane_waves",
    "project",
    "random_throw",
    "render",
    "repetitive",
    "ring_of_cameras",
    "see_pitch",
    "warps",
    "white_noise",
]
