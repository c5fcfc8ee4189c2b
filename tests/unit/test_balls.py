"""BallDetector: what it finds, how exactly, and what it must not find."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.cpu_levels import outputs
from trackcore import BallRule, InputError, synth


def detections(clip, detector=None, **kwargs):
    detector = detector or tc.BallDetector(**kwargs)
    return [detector.process(f, int(t)) for f, t in zip(clip.frames(), clip.t_ns, strict=True)]


def errors(clip, found, radius):
    """Return errors of u, v and radius of the frames in which the ball is whole."""
    w, h = clip.background.shape[::-1]
    rows = []
    for i, balls in enumerate(found):
        x, y = clip.xy_px[i, 0]
        reach = radius + 3 + (np.abs(clip.balls[i][0].streak_px).max() / 2 if clip.balls[i] else 0)
        if clip.balls[i] and reach < x < w - 1 - reach and reach < y < h - 1 - reach:
            assert len(balls) == 1, (i, x, y)
            rows.append([balls.u[0] - x, balls.v[0] - y, balls.radius_px[0] - radius])
    return np.array(rows)


@pytest.mark.parametrize("speed", [0.5, 1.3, 7.0, 40.0])
@pytest.mark.parametrize("contrast", [60.0, -40.0])
def test_a_moving_ball_is_found_once_in_each_frame_until_its_centre_leaves(speed, contrast):
    n_frames = 120 if speed < 1 else 60
    clip = synth.ball_clip(seed=5, speed_px=speed, contrast=contrast, n_frames=n_frames)
    n_seen = 0
    for i, balls in enumerate(detections(clip)):
        inside = ((clip.xy_px[i, 0] >= 0) & (clip.xy_px[i, 0] <= (319, 239))).all()
        if not clip.balls[i]:
            assert len(balls) == 0
        elif inside:
            assert len(balls) == 1, i
            n_seen += 1
    assert n_seen > 5


@pytest.mark.parametrize(
    ("radius", "contrast", "noise", "exposure"),
    [
        (3, 30, 2, 0),
        (3, -30, 2, 0),
        (5, 80, 1, 0),
        (12, 50, 2, 0),
        (5, 80, 1, 0.8),
        (4, 120, 2, 0.4),
    ],
)
def test_centre_and_radius_are_right_without_bias(radius, contrast, noise, exposure):
    speed = 20.0 if exposure else 3.7
    made = dict(radius_px=radius, contrast=contrast, noise=noise, exposure=exposure, speed_px=speed)
    clips = [synth.ball_clip(seed=s, size=(480, 360), n_frames=40, **made) for s in range(8)]
    e = np.concatenate([errors(clip, detections(clip), radius) for clip in clips])
    assert len(e) > 60
    assert np.sqrt((e[:, :2] ** 2).mean(axis=0)).max() <= 0.10
    assert np.abs(e[:, :2].mean(axis=0)).max() <= 0.03
    assert np.abs(e[:, 2]).max() <= 0.3


@pytest.mark.parametrize(("radius", "contrast", "noise"), [(3.0, 30.0, 2.0), (5.3, 130.0, 2.0)])
def test_errors_come_near_the_bound_and_the_covariance_says_so(radius, contrast, noise):
    clips = [
        synth.ball_clip(seed=s, radius_px=radius, contrast=contrast, noise=noise) for s in range(8)
    ]
    e, z = [], []
    for clip in clips:
        found = detections(clip)
        e.append(errors(clip, found, radius)[:, :2])
        z += [
            (balls.xy_px[0] - clip.xy_px[i, 0]) / np.sqrt(np.diag(balls.covariance[0]))
            for i, balls in enumerate(found)
            if clip.balls[i] and len(balls) and balls.refined[0]
        ]
    ball = synth.Ball(xy_px=(0.3, 0.4), radius_px=radius)
    bound = synth.ball_crlb_px(ball, contrast=contrast, noise=np.hypot(noise, 12**-0.5))
    rms = np.sqrt((np.concatenate(e) ** 2).mean(axis=0))
    assert (rms <= 1.5 * bound).all()
    assert 0.7 < np.median(np.abs(z)) / 0.6745 < 1.4


def test_there_is_no_pixel_locking():
    phases, e = [], []
    for seed in range(12):
        clip = synth.ball_clip(seed=seed, radius_px=4.0, contrast=120.0, noise=0.5, supersample=32)
        found = errors(clip, detections(clip), 4.0)
        e.append(found[:, 0])
        whole = [b for i, b in enumerate(clip.xy_px[:, 0]) if clip.balls[i]]
        phases.append([x for x, y in whole if 7 < x < 312 and 7 < y < 232])
    phase = np.concatenate(phases) % 1.0
    e = np.concatenate(e)
    for harmonic in (1, 2):
        assert abs(2 * (e * np.exp(2j * np.pi * harmonic * phase)).mean()) < 0.004


def test_streaks_say_how_far_the_ball_went():
    clip = synth.ball_clip(seed=3, speed_px=20, exposure=0.8, size=(640, 480), n_frames=30)
    ways = [b.streak_px[0] for i, b in enumerate(detections(clip)) if clip.balls[i] and len(b)]
    true = np.array(clip.balls[-1][0].streak_px)
    true *= np.sign(true[0])
    assert np.linalg.norm(np.median(ways, axis=0) - true) < 0.5
    assert all(w[0] >= 0 for w in ways)


def test_frames_read_where_they_lie_and_copied_ones_give_the_same_balls():
    clip = synth.ball_clip(seed=2, speed_px=5.0, size=(320, 240))
    in_place, copied = tc.BallDetector(), tc.BallDetector()
    seen = 0
    for i, frame in enumerate(clip.frames()):
        spaced = np.repeat(frame, 2, axis=1)[:, ::2]
        expected, found = copied.process(spaced, i), in_place.process(frame, i)
        assert_array_equal(found.xy_px, expected.xy_px)
        assert_array_equal(in_place.background, copied.background)
        frame[:] = 0  # its owner may do with it what he likes
        seen += len(found)
    assert seen > 20


def test_a_short_streak_is_as_exact_as_noise_lets_it_be():
    made = dict(radius_px=4.0, contrast=120.0, speed_px=20.0, exposure=0.4, size=(320, 240))
    clips = [synth.ball_clip(seed=s, **made) for s in range(4)]
    e = np.concatenate([errors(clip, detections(clip), 4.0)[:, :2] for clip in clips])
    assert len(e) > 40
    noise = np.hypot(1.0, 12**-0.5)
    bound = synth.ball_crlb_px(clips[0].balls[-1][0], contrast=120.0, noise=float(noise))
    assert np.sqrt((e**2).mean()) <= 1.3 * np.sqrt((bound**2).mean())


def test_a_ball_before_a_patterned_background_is_as_exact():
    y, x = np.mgrid[0:240, 0:320]
    pattern = 110 + 50 * np.sin(x / 3.1) * np.cos(y / 4.3)
    made = dict(background=pattern, contrast=110.0, radius_px=6.0, noise=1.0)
    e = np.concatenate(
        [
            errors(clip, detections(clip), 6.0)
            for clip in (synth.ball_clip(seed=s, **made) for s in range(4))
        ]
    )
    assert np.sqrt((e[:, :2] ** 2).mean()) < 0.02


def ball_at(x, y, level=140.0, radius=6.0, size=(160, 120)):
    grey = np.full(size[::-1], 60.0)
    grey = synth.draw_balls(grey, [synth.Ball(xy_px=(x, y), radius_px=radius, level=level)])
    return np.rint(grey).astype(np.uint8)


EMPTY = np.full((120, 160), 60, np.uint8)


def test_what_stands_still_is_no_ball_and_becomes_background():
    detector = tc.BallDetector(tc.BallOptions(keep_rejected=True))
    for _ in range(5):
        detector.process(EMPTY, 0)
    assert detector.process(ball_at(80, 60), 0).rule.tolist() == [BallRule.ACCEPTED]  # it came
    assert detector.process(ball_at(80, 60), 0).rule.tolist() == [BallRule.STILL]
    for _ in range(400):
        last = detector.process(ball_at(80, 60), 0)
    assert len(last) == 0
    hole = detector.process(EMPTY, 0)
    assert hole.rule.tolist() == [BallRule.HOLE]
    assert len(detector.process(EMPTY, 0)) == 0


def test_a_ball_that_was_there_from_the_start_leaves_no_ghost():
    detector = tc.BallDetector()
    for i in range(12):
        found = detector.process(ball_at(40 + 15 * i if i < 8 else 1000, 60), i)
        if 1 <= i < 8:
            assert len(found) == 1
            assert_allclose(found.xy_px[0], (40 + 15 * i, 60), atol=0.05)
        else:
            assert len(found) == 0


@pytest.mark.parametrize("noise", [0.5, 2.0, 6.0])
def test_noise_alone_is_no_ball(noise):
    rng = np.random.default_rng(8)
    detector = tc.BallDetector()
    total = sum(
        len(detector.process(f, 0))
        for f in (
            np.clip(np.rint(90 + noise * rng.standard_normal((540, 960))), 0, 255).astype(np.uint8)
            for _ in range(120)
        )
    )
    assert total == 0
    assert_allclose(np.median(detector.noise), np.hypot(noise, 12**-0.5), rtol=0.2)


def test_a_burst_of_noise_overloads_for_a_few_frames_only():
    rng = np.random.default_rng(9)
    detector = tc.BallDetector()
    seen = []
    for i in range(30):
        sigma = 1.0 if i < 10 else 12.0
        frame = np.clip(np.rint(90 + sigma * rng.standard_normal((480, 640))), 0, 255)
        seen.append(detector.process(frame.astype(np.uint8), i))
    assert not any(s.overloaded for s in seen[:10])
    assert seen[10].overloaded
    assert not any(s.overloaded for s in seen[14:])
    assert sum(len(s) for s in seen) == 0


def test_after_a_change_of_light_balls_are_found_again():
    detector = tc.BallDetector()
    clip = synth.ball_clip(seed=2, n_frames=40, first=0, speed_px=3)
    for i, frame in enumerate(clip.frames()):
        brighter = frame if i < 15 else np.clip(frame.astype(int) + 70, 0, 255).astype(np.uint8)
        found = detector.process(brighter, i)
        if i >= 22:
            assert len(found) == 1, i


def test_layout_and_colour_do_not_matter():
    clip = synth.ball_clip(seed=6, n_frames=14, size=(200, 150))
    frames = list(clip.frames())
    yuyv = [np.stack([f, np.full_like(f, 128)], axis=2) for f in frames]
    padded = np.zeros((300, 430), np.uint8)

    def strided(f):
        padded[::2, 10:410:2] = f
        return padded[::2, 10:410:2]

    expected = detections(clip)
    for change in (
        lambda i: np.repeat(frames[i][..., None], 3, axis=2),
        lambda i: np.repeat(frames[i][..., None], 4, axis=2)[..., ::-1],
        lambda i: yuyv[i],
        lambda i: np.ascontiguousarray(frames[i][::-1])[::-1],
        lambda i: strided(frames[i]),
    ):
        detector = tc.BallDetector()
        for i, want in enumerate(expected):
            found = detector.process(change(i), i)
            assert_array_equal(found.xy_px, want.xy_px)
            assert_array_equal(found.score, want.score)


def test_only_balls_in_the_lane_count_and_their_place_is_not_cut():
    lane = [(60, 0), (160, 0), (160, 120), (60, 120)]
    plain, gated = tc.BallDetector(), tc.BallDetector(lane_px=lane)
    rejected = tc.BallDetector(tc.BallOptions(keep_rejected=True), lane_px=lane)
    for detector in (plain, gated, rejected):
        for _ in range(4):
            detector.process(EMPTY, 0)
    for x in np.arange(30, 150, 4.3):
        frame = ball_at(x, 60)
        all_, few = plain.process(frame, 0), gated.process(frame, 0)
        assert len(all_) == 1
        assert len(few) == (1 if x >= 60 else 0)
        if len(few):
            assert_allclose(few.xy_px, all_.xy_px, atol=1e-3)
        why = rejected.process(frame, 0).rule.tolist()
        assert why in ([], [BallRule.OUTSIDE_LANE]) if x < 60 else why == [BallRule.ACCEPTED]


def test_a_window_is_searched_alone():
    detector = tc.BallDetector()
    for _ in range(4):
        detector.process(EMPTY, 0)
    two = np.maximum(ball_at(40, 60), ball_at(120, 60))
    assert len(detector.process(two, 0, window_px=(100, 40, 140, 80))) == 1
    assert detector.process(two, 0, window_px=(10, 5, 30, 25)).xy_px.shape == (0, 2)
    assert len(detector.process(np.maximum(ball_at(50, 60), ball_at(110, 60)), 0)) == 2


def test_caps_hold():
    rng = np.random.default_rng(1)
    detector = tc.BallDetector(tc.BallOptions(max_candidates=5, max_fit_pixels=4000))
    grey = np.full((480, 640), 60.0)
    for _ in range(5):
        detector.process(grey.astype(np.uint8), 0)
    at = rng.uniform(10, 470, (60, 2))
    balls = [synth.Ball(xy_px=tuple(p), radius_px=4, level=120) for p in at]
    found = detector.process(synth.draw_balls(grey, balls, supersample=4).astype(np.uint8), 0)
    assert len(found) == 5
    assert 0 < found.refined.sum() < 5
    assert (np.diff(found.score) <= 0).all()


def test_nothing_is_allocated_after_the_first_frames():
    detector = tc.BallDetector()
    clip = synth.ball_clip(seed=4, n_balls=9, n_frames=40)
    sizes = []
    for frame in clip.frames():
        detector.process(frame, 0)
        sizes.append(detector._core.capacity)
    assert len(set(sizes)) == 1


def test_every_cpu_level_finds_the_same():
    printed = outputs(
        "import numpy as np, trackcore as tc\n"
        "from trackcore import _core, synth\n"
        "print(_core.cpu_level())\n"
        "rows = []\n"
        "for seed, exposure in (1, 0.0), (2, 0.8):\n"
        "    clip = synth.ball_clip(seed=seed, exposure=exposure, speed_px=12, size=(333, 247))\n"
        "    detector = tc.BallDetector()\n"
        "    for f in clip.frames():\n"
        "        c = detector.process(f, 0)\n"
        "        rows += [[*p, r] for p, r in zip(c.xy_px, c.radius_px)]\n"
        "    print(int(detector.background.sum(dtype=float) * 256))\n"
        "print(np.array(rows).round(9).tolist())"
    )
    results = []
    for text in printed.values():
        first, second, rows = text.splitlines()
        results.append((first, second, np.array(json.loads(rows))))
    for first, second, rows in results[1:]:
        assert (first, second) == results[0][:2]  # the background: the same bits
        assert_allclose(rows, results[0][2], atol=5e-3)  # the fit: to rounding


def test_a_frame_of_another_size_starts_anew_and_so_does_reset():
    detector = tc.BallDetector()
    assert detector.background.shape[0] == 0
    detector.process(EMPTY, 0)
    detector.process(np.zeros((50, 40), np.uint8), 1)
    assert detector.background.shape == (50, 40)
    detector.reset()
    assert detector.background.size == 0
    assert len(detector.process(ball_at(50, 50), 2)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tc.BallDetector(3), "options: expected BallOptions"),
        (lambda: tc.BallDetector(lane_px=[(0, 0), (1, 1)]), "lane_px: expected at least 3"),
        (lambda: tc.BallDetector(color="hsv"), "color: expected"),
        (lambda: tc.BallOptions(threshold_sigma=0.5), "BallOptions.threshold_sigma"),
        (lambda: tc.BallDetector().process(EMPTY.astype(float), 0), "frame: expected dtype uint8"),
        (lambda: tc.BallDetector().process(EMPTY[None], 0), "frame: expected a non-empty image"),
        (lambda: tc.BallDetector().process([1], 0), "frame: expected a numpy image"),
        (lambda: tc.BallDetector().process(EMPTY, 0.5), "t_ns: expected an integer"),
        (
            lambda: tc.BallDetector().process(EMPTY, 0, window_px=(5, 5, 2, 9)),
            "window_px: expected",
        ),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_rendered_coverage_has_the_area_of_the_ball():
    for way in ((0.0, 0.0), (7.0, 3.0)):
        ball = synth.Ball(xy_px=(20.3, 18.8), radius_px=4.2, streak_px=way)
        share, where = synth.ball_coverage((48, 40), ball, supersample=32)
        y, x = np.mgrid[where]
        assert_allclose(share.sum(), np.pi * 4.2**2, rtol=2e-3)
        assert_allclose((share * x).sum() / share.sum(), 20.3, atol=3e-3)
        assert_allclose((share * y).sum() / share.sum(), 18.8, atol=3e-3)
