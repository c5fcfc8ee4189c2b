"""One picture of an overlay: footage, live tracks with their tails, crosses where tracks ended.

Everything is sized by the output picture, so that 320 x 240 and 4K look alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._cv2 import load_cv2
from trackcore._overlay_legend import Legend
from trackcore._overlay_marks import (
    Colour,
    Image,
    as_u8,
    draw_cross,
    draw_dots,
    draw_paths,
    white_level,
)
from trackcore.summary import ending, lost_backwards
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

CROSS_FRAMES = 10
NEW_FRAMES = 6
SHORT_SIDE_PX = 480  # smaller footage is enlarged by a whole factor
LONG_SIDE_PX = 1920  # larger footage is reduced

# Blue, green, red, as OpenCV has them. Reasons differ in hue from each other and from the ramp.
REASON_COLOURS: dict[PointStatus, Colour] = {
    PointStatus.OUT_OF_FRAME: (225, 215, 205),
    PointStatus.LOW_TEXTURE: (255, 175, 70),
    PointStatus.NOT_CONVERGED: (255, 105, 170),
    PointStatus.LOW_CORRELATION: (65, 65, 255),
    PointStatus.FAILED_FB: (40, 145, 255),
    PointStatus.LOST: (205, 80, 255),
    PointStatus.UNSEEN: (150, 150, 150),
}
NEW_COLOUR: Colour = (255, 255, 255)
_BAD_TO_GOOD: tuple[Colour, Colour] = ((60, 225, 235), (90, 230, 60))
_BINS = 8
_LOW_NCC = 0.75
_OLD_FRAMES = 50
# Stretches of a tail, oldest first: (from, to) as shares of its length, and opacity.
_TAIL_BANDS = ((1.0, 2 / 3, 0.3), (2 / 3, 1 / 3, 0.55), (1 / 3, 0.0, 0.9))
_DIM = 0.82  # the picture steps back a little behind what is drawn on it


class Painter:
    """Draws the frames of one clip, one after the other.

    Parameters
    ----------
    tracks : Tracks
        What to draw.
    tail : int
        Frames of motion shown behind each live track.
    width_px : int, optional
        Width of the pictures made; by default chosen from the frame size.
    """

    def __init__(self, tracks: Tracks, tail: int, width_px: int | None = None) -> None:
        w, h = tracks.frame_size
        self.picture_size = output_size(w, h, width_px)
        self._scale = np.array(self.picture_size) / (w, h)
        self._tracks, self._tail, self._seen = tracks, tail, tracks.seen
        # Output pixel centres at integers: our convention on both sides of the enlargement.
        self._places = (tracks.xy_px + 0.5) * self._scale - 0.5
        self._first = tracks.first_index
        self.unit = max(min(self.picture_size) / SHORT_SIDE_PX, 0.5)
        self._reason = ending(tracks)
        self._backwards = lost_backwards(tracks) & (self._reason == tracks.start_status)
        self._end = np.where(self._backwards, self._first - 1, tracks.last_index + 1)
        self._ended = (self._reason != PointStatus.TRACKED) & (self._first >= 0)
        self._by_ncc = bool(np.isfinite(tracks.ncc).any())
        counts = {
            status: int(np.count_nonzero(self._ended & (self._reason == status)))
            for status in REASON_COLOURS
        }
        self._legend = Legend(
            self.picture_size[0], self.unit, {s: n for s, n in counts.items() if n},
            REASON_COLOURS, NEW_COLOUR, ramp(_BINS), "ncc" if self._by_ncc else "age",
            f"{_LOW_NCC:g}" if self._by_ncc else "0", "1" if self._by_ncc else f"{_OLD_FRAMES}",
            self._widest(),
        )  # fmt: skip
        self._white: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(w, h) of `paint`'s pictures [px], both even as video needs them."""
        w, h = self.picture_size
        return w, h + self._legend.height_px

    def paint(self, image: NDArray[Any], index: int) -> Image:
        """Return the picture of array frame `index` with its legend below."""
        picture = self.picture(image, index)
        return np.vstack([picture, self.legend(index)])

    def legend(self, index: int) -> Image:
        """Return the strip below the picture: what is alive in this frame, what was lost so far."""
        number, n_frames = int(self._tracks.frame_numbers[index]), self._tracks.n_frames
        alive = self._seen[:, index]
        new = np.count_nonzero(alive & self._is_new(index))
        where = f"frame {number}  ({index + 1}/{n_frames})"
        return self._strip(where, f"{np.count_nonzero(alive)} tracked", f"{new} new", index)

    def legend_of_clip(self) -> Image:
        """Return a strip that sums up the whole clip."""
        first, last = self._tracks.frame_numbers[[0, -1]].tolist()
        where = f"frames {first} .. {last}"
        tracks = f"{len(self._tracks)} tracks"
        return self._strip(where, tracks, "new", self._tracks.n_frames - 1)

    def _strip(self, frame: str, alive: str, new: str, index: int) -> Image:
        so_far = self._ended & (self._end <= index)
        lost = {
            status: int(np.count_nonzero(so_far & (self._reason == status)))
            for status in REASON_COLOURS
        }
        return self._legend.draw(frame, alive, new, lost)

    def _widest(self) -> tuple[str, str]:
        """Return the longest texts the legend will show, so that it can leave room."""
        first, last = self._tracks.frame_numbers[[0, -1]].tolist()
        n = self._tracks.n_frames
        alive = max(int(self._seen.sum(axis=0).max(initial=0)), len(self._tracks))
        frame = max(f"frame {last}  ({n}/{n})", f"frames {first} .. {last}", key=len)
        return frame, f"{alive} tracked"

    def picture(self, image: NDArray[Any], index: int) -> Image:
        """Return the picture alone, at `picture_size`."""
        canvas = self._footage(image)
        self._draw_tails(canvas, index)
        self._draw_live(canvas, index)
        self._draw_crosses(canvas, index)
        return canvas

    def _footage(self, image: NDArray[Any]) -> Image:
        cv2 = load_cv2()
        how = cv2.INTER_CUBIC if self._scale[0] > 1 else cv2.INTER_AREA
        shown = cv2.resize(self._as_u8(image), self.picture_size, interpolation=how)
        if shown.ndim == 2:
            shown = cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR)
        dimmed = cv2.convertScaleAbs(shown[..., :3], alpha=_DIM)
        return np.ascontiguousarray(dimmed, dtype=np.uint8)

    def _as_u8(self, image: NDArray[Any]) -> Image:
        if self._white is None:  # one exposure for the clip, or it would flicker
            self._white = white_level(image)
        return as_u8(image, self._white)

    def _is_new(self, index: int) -> NDArray[np.bool_]:
        age = index - self._first
        # In the first frame everything is new, which says nothing.
        return (age >= 0) & (age < NEW_FRAMES) & (self._first > 0)

    def _grade(self, index: int) -> NDArray[np.int64]:
        """Return the colour bin of each track in this frame, 0 the worst or youngest."""
        if self._by_ncc:
            ncc = np.nan_to_num(self._tracks.ncc[:, index], nan=1.0)
            level = (ncc - _LOW_NCC) / (1 - _LOW_NCC)
        else:
            level = (index - self._first) / _OLD_FRAMES
        return np.clip((level * _BINS).astype(np.int64), 0, _BINS - 1)

    def _draw_tails(self, canvas: Image, index: int) -> None:
        cv2 = load_cv2()
        live = np.flatnonzero(self._seen[:, index])
        if not len(live) or self._tail < 1:
            return
        grade = self._grade(index)[live]
        width = max(1, round(1.1 * self.unit))
        for oldest, newest, opacity in _TAIL_BANDS:
            since = max(0, index - round(self._tail * oldest))
            until = index - round(self._tail * newest)
            if until <= since:
                continue
            paths = self._places[live, since : until + 1]
            layer = canvas.copy()
            for level, colour in enumerate(ramp(_BINS)):
                draw_paths(layer, paths[grade == level], colour, width)
            cv2.addWeighted(layer, opacity, canvas, 1 - opacity, 0, dst=canvas)

    def _draw_live(self, canvas: Image, index: int) -> None:
        live = np.flatnonzero(self._seen[:, index])
        colours, new = ramp(_BINS), self._is_new(index)[live]
        draw_dots(
            canvas, self._places[live, index], self.unit,
            [colours[level] for level in self._grade(index)[live]],
            [NEW_COLOUR if is_new else None for is_new in new],
        )  # fmt: skip

    def _draw_crosses(self, canvas: Image, index: int) -> None:
        since = np.where(self._backwards, self._end - index, index - self._end)
        recent = self._ended & (since >= 0) & (since < CROSS_FRAMES)
        w, h = self.picture_size
        margin = 5 * self.unit
        for track in np.flatnonzero(recent):
            last = self._end[track] + (1 if self._backwards[track] else -1)
            # A track that left the frame ended at its border: keep its cross whole.
            place = np.clip(self._places[track, last], margin, (w - margin, h - margin))
            colour = REASON_COLOURS[PointStatus(int(self._reason[track]))]
            fade = 1 - 0.5 * since[track] / CROSS_FRAMES
            draw_cross(canvas, place, self.unit, colour, fade)


def ramp(n: int) -> list[Colour]:
    """Return `n` colours from the worst to the best track."""
    bad, good = np.array(_BAD_TO_GOOD, float)
    mixed = [bad + (good - bad) * i / max(n - 1, 1) for i in range(n)]
    return [(int(b), int(g), int(r)) for b, g, r in mixed]


def output_size(w: int, h: int, width_px: int | None = None) -> tuple[int, int]:
    """Return the (w, h) to draw a clip at [px]: even, large enough to see, small enough to play."""
    enlarge = min(-(-SHORT_SIDE_PX // min(w, h)), LONG_SIDE_PX // max(w, h))
    if width_px is not None:
        scale = width_px / w
    else:
        scale = enlarge if enlarge > 1 else min(1.0, LONG_SIDE_PX / max(w, h))
    return max(2, 2 * round(w * scale / 2)), max(2, 2 * round(h * scale / 2))
