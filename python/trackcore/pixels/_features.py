"""The documented visual features of a clip, measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._check import threads_count
from trackcore.errors import InputError
from trackcore.footage import TextureClass, texture_class
from trackcore.frame_regions import REGIONS, region_index
from trackcore.frames import Clip, open_clip, prefetch
from trackcore.pixels._blocks import mean_of_known
from trackcore.pixels._density import MOST_COUNTED, Density, density, positions
from trackcore.pixels._meter import FrameMeter, FrameSeries
from trackcore.pyramid import FramePyramid
from trackcore.tracks import Tracks

Floats = NDArray[np.float64]
Progress = Callable[[int, "int | None"], object]
Cancel = Callable[[], bool]

_SUCCESS_FRAMES = 5  # a track that lives so long is a success, as documented
_MOST_LEVELS = 8


@dataclass(frozen=True, slots=True)
class ContrastStats:
    """Contrast of a region and what became of its tracks.

    Attributes
    ----------
    estimated_contrast : float or None
        Rms about the local mean, without the noise, as a share of the largest possible (half of
        white).
    track_count : int or None
        Tracks whose mean position is in the region; None without tracks.
    success_rate : float or None
        Share of them that live 5 frames; None where there are none.
    """

    estimated_contrast: float | None
    track_count: int | None
    success_rate: float | None


@dataclass(frozen=True, slots=True)
class PixelFeatures:
    """What `pixel_features` measured; regions by name. None where there is nothing to measure.

    Attributes
    ----------
    edge_density : dict of str to (float or None)
        Share of a region's pixels whose slope is above the noise, mean over the frames.
    edge_density_mean : float or None
        The mean over the regions.
    contrast_stats : dict of str to ContrastStats
        By region.
    texture_class : dict of str to (TextureClass or None)
        By region, from how many of its 4 x 4 cells have a feature.
    feature_density : dict of str to (int or None)
        Features of a region that can be tracked to 0.1 px, mean over the frames of the timeline.
    density_timeline : dict of str to dict of str to (int or None)
        The same at 25, 50 and 75 % of the clip, each the mean of 3 frames.
    contrast_estimate : int or None
        Features of the whole frame that can be tracked to 0.056 px, 0 .. 200.
    series : FrameSeries
        Exposure, blur, noise and cuts, frame by frame.
    """

    edge_density: dict[str, float | None]
    edge_density_mean: float | None
    contrast_stats: dict[str, ContrastStats]
    texture_class: dict[str, TextureClass | None]
    feature_density: dict[str, int | None]
    density_timeline: dict[str, dict[str, int | None]]
    contrast_estimate: int | None
    series: FrameSeries

    def to_dict(self) -> dict[str, Any]:
        """Return the documented part of the record `visual_features`, then ours.

        The arrays by frame are not in it: `series.to_dict()`.
        """
        return {
            "edge_density": dict(self.edge_density),
            "edge_density_mean": self.edge_density_mean,
            "contrast_stats": {
                name: {
                    "estimated_contrast": stats.estimated_contrast,
                    "track_count": stats.track_count,
                    "success_rate": stats.success_rate,
                }
                for name, stats in self.contrast_stats.items()
            },
            "feature_density": dict(self.feature_density),
            "density_timeline": {time: dict(n) for time, n in self.density_timeline.items()},
            "texture_class": {
                name: found and found.value for name, found in self.texture_class.items()
            },
            "contrast_estimate": self.contrast_estimate,
            "blur_px": _number(_median(self.series.blur_px)),
            "noise_sigma": _number(_median(self.series.noise_sigma)),
            "exposure": _number(_median(self.series.exposure)),
            "cuts": self.series.cuts.tolist(),
        }


def pixel_features(
    source: str | PathLike[str] | NDArray[Any] | Sequence[NDArray[Any]] | Clip,
    *,
    meter: FrameMeter | None = None,
    tracks: Tracks | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    threads: int = 0,
) -> PixelFeatures:
    """Measure edges, contrast, texture, features, blur, exposure and cuts of a clip.

    Parameters
    ----------
    source : path, array, sequence of arrays or Clip
        What `open_clip` takes or returned.
    meter : FrameMeter, optional
        One that has seen the clip, such as one that `track_clip` fed: then the clip is not read
        again, but for the frames in which features are counted, if the meter did not count.
    tracks : Tracks, optional
        For the tracks of each region in `contrast_stats`.
    progress : callable, optional
        Called as `progress(frames_done, frames_total)`; the total is None while it is not known.
    cancel : callable, optional
        Asked before every frame; True stops, and what was seen so far is measured.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    PixelFeatures
        Numbers only: no picture, path or name.

    Raises
    ------
    InputError
        If an argument does not fit; `SourceError`, which is one, if the clip cannot be read.
    """
    if meter is not None and not isinstance(meter, FrameMeter):
        raise InputError(f"meter: expected a FrameMeter, got {type(meter).__name__}")
    if tracks is not None and not isinstance(tracks, Tracks):
        raise InputError(f"tracks: expected Tracks, got {type(tracks).__name__}")
    workers = threads_count(threads)
    clip = source if isinstance(source, Clip) else open_clip(source)
    if meter is None:
        meter = FrameMeter(clip, threads=workers)
        _read(clip, meter, progress, cancel)
    series = meter.result()
    return _features(series, _densities(clip, series, meter, workers), tracks)


def _read(clip: Clip, meter: FrameMeter, progress: Progress | None, cancel: Cancel | None) -> None:
    with closing(prefetch(clip)) as frames:
        for done, frame in enumerate(frames, 1):
            if cancel is not None and cancel():
                return
            meter.push(frame)
            if progress is not None:
                progress(done, clip.expected_length)


def _densities(
    clip: Clip, series: FrameSeries, meter: FrameMeter, threads: int
) -> dict[str, list[Density]]:
    """Return the features of the frames at 25, 50 and 75 % of what the meter saw."""
    numbers: list[int] = series.frame_numbers.tolist()
    found: dict[str, list[Density]] = {}
    for time, at in positions(len(numbers)).items():
        found[time] = []
        for i in at:
            known = meter.density(numbers[i])
            found[time].append(known or _counted(clip, numbers[i], threads))
    return found


def _counted(clip: Clip, number: int, threads: int) -> Density:
    places = np.flatnonzero(clip.numbers == number)
    if not len(places):
        raise InputError(
            f"meter: expected one that has seen this clip, which has no frame {number}"
        )
    image = clip[int(places[0])].image
    return density(FramePyramid(image, _MOST_LEVELS, copy=False, threads=threads), None, threads)


def _features(
    series: FrameSeries, densities: Mapping[str, list[Density]], tracks: Tracks | None
) -> PixelFeatures:
    edges = mean_of_known(series.region_edges.T)
    contrast = mean_of_known(series.region_contrast.T)
    counted = [d for some in densities.values() for d in some]
    textured = np.mean([d.textured for d in counted], axis=0) if counted else None
    strong = round(float(np.mean([d.n_strong for d in counted]))) if counted else None
    n_tracks, success = _fortune(tracks)
    return PixelFeatures(
        edge_density=_by_name(edges),
        edge_density_mean=_number(float(mean_of_known(edges))),
        contrast_stats={
            name: ContrastStats(_number(float(contrast[r])), n_tracks[r], success[r])
            for r, name in enumerate(REGIONS)
        },
        texture_class={
            name: None if textured is None else texture_class(float(textured[r]))
            for r, name in enumerate(REGIONS)
        },
        feature_density=_mean_counts(counted),
        density_timeline={time: _mean_counts(some) for time, some in densities.items()},
        contrast_estimate=None if strong is None else min(strong, MOST_COUNTED),
        series=series,
    )


def _fortune(tracks: Tracks | None) -> tuple[list[int | None], list[float | None]]:
    """Return by region how many tracks there are, and the share that are a success."""
    if tracks is None:
        return [None] * len(REGIONS), [None] * len(REGIONS)
    seen = tracks.lifespan_frames > 0
    mean_xy = mean_of_known(tracks.xy_px[seen].swapaxes(1, 2))
    region = region_index(mean_xy, tracks.frame_size)
    good = tracks.lifespan_frames[seen] >= _SUCCESS_FRAMES
    counts = [int((region == r).sum()) for r in range(len(REGIONS))]
    rates = [float(good[region == r].mean()) if counts[r] else None for r in range(len(REGIONS))]
    return list(counts), rates


def _mean_counts(counted: list[Density]) -> dict[str, int | None]:
    if not counted:
        return dict.fromkeys(REGIONS)
    means = np.mean([d.counts for d in counted], axis=0)
    return {name: round(float(mean)) for name, mean in zip(REGIONS, means, strict=True)}


def _by_name(values: Floats) -> dict[str, float | None]:
    return {name: _number(float(v)) for name, v in zip(REGIONS, values, strict=True)}


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
