"""What the pixels say about a clip: motion, texture, blur, exposure, noise, cuts."""

from trackcore.pixels._meter import FrameMeter, FrameSeries

__all__ = ["FrameMeter", "FrameSeries"]
