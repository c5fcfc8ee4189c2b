"""A session's setup: what it is told reaches detector, tracker, fit, files and recovery."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import trackcore as tc
from tests.cli import only_json, run
from tests.unit import pitch_windows
from tests.unit.pitch_scenes import INCH, RIG, sightings
from trackcore import InputError, synth
from trackcore.ballistics import BALLS

SOFTBALL = BALLS["softball"]
SAID = tc.PitchConfig.parse("ball: {type: softball}").setup
UNSAID = tc.PitchConfig.parse("").setup


def thrown(x_in: float = 0.0) -> tuple[synth.Flight, tuple[tc.Sightings, tc.Sightings]]:
    """Return a softball that passes the front of the plate at a place across, 26 in high."""
    aim = (x_in * INCH, 26 * INCH)
    for _ in range(4):
        vx, vy = ((aim[k] - start) / 0.46 for k, start in enumerate((0.0, 1.0)))
        throw = synth.Throw(
            release=(0.0, 1.0, -12.2), velocity=(vx, vy, 27.0), spin_rpm=1200.0, drag=0.35
        )
        flight = synth.fly(throw, physics=SOFTBALL, ground_m=-5.0)
        x, y = flight.crossing(0.0)[1][:2]
        aim = (aim[0] + x_in * INCH - x, aim[1] + 26 * INCH - y)
    return flight, sightings(synth.see_pitch(RIG, flight, seed=1))


def test_a_softball_is_fitted_right_by_the_configuration_and_wrong_without():
    _, seen = thrown()
    right, wrong = SAID.fitted(RIG, *seen), UNSAID.fitted(RIG, *seen)
    assert right.drag[0] == pytest.approx(0.35, abs=0.02)
    assert abs(wrong.drag[0] - 0.35) > 0.08  # a baseball of this drag would have to be rougher
    assert right.strike.radius_m == SOFTBALL.radius_m


def test_a_softball_that_touches_the_zone_where_a_baseball_would_not_is_a_strike():
    between = 8.5 + (1.45 + 1.88) / 2
    _, seen = thrown(between)
    right, wrong = SAID.fitted(RIG, *seen), UNSAID.fitted(RIG, *seen)
    assert (right.strike.is_strike, wrong.strike.is_strike) == (True, False)
    assert right.strike.margin_m == pytest.approx((1.88 - 1.45) / 2 * INCH, abs=0.05 * INCH)


def test_a_replayed_softball_keeps_its_ball_from_pixels_to_files_and_back(tmp_path):
    rig = pitch_windows.rig()
    scene = synth.PitchScene(
        rig, 3, n_pitches=1, before_s=0.25, after_s=0.3, physics=SOFTBALL, clock_offset_s=0.0
    )
    frames = {s: list(scene.frames(s)) for s in ("left", "right")}
    config = "recording: {pre_roll_ms: 100, post_roll_ms: 100}\n"
    found = {}
    for ball in ("softball", "baseball"):
        setup = tc.PitchConfig.parse(config + f"ball: {{type: {ball}}}").setup
        with tc.SessionWriter(tmp_path, ball, rig, setup) as writer:
            tc.replay_pitches(
                frames["left"], frames["right"], rig, setup, session=ball, sinks=[writer],
                timestamps=tuple(scene.films[s].t_ns for s in ("left", "right")),
            )  # fmt: skip
        session = tc.open_session(writer.folder)
        assert session.setup.ball == BALLS[ball]
        (found[ball],) = session.pitches
    true = scene.flights[0].throw.drag
    off = {ball: abs(pitch.fit().drag[0] - true) for ball, pitch in found.items()}
    assert off["softball"] < 0.03 < 0.06 < off["baseball"]
    said = found["softball"].manifest.fit["diagnostics"]
    assert said == found["softball"].fit().documented()["diagnostics"]


def test_a_setup_comes_back_from_its_plain_values_and_ignores_what_it_does_not_know():
    setup = tc.PitchSetup(
        ball=SOFTBALL, timing=tc.PitchEventOptions(end_gap_ms=60.0),
        fit=tc.PitchFitOptions(model="constant_acceleration"),
        lanes_px={"left": [[0, 0], [9, 0], [9, 9]]}, zone=tc.StrikeZone.of_batter(70.0),
    )  # fmt: skip
    plain = json.loads(json.dumps(setup.to_dict()))
    assert tc.PitchSetup.from_dict(plain) == setup
    plain["ball"]["seams"] = 2
    plain["weather"] = {"rain": True}
    assert tc.PitchSetup.from_dict(plain) == setup
    del plain["ball"]
    assert tc.PitchSetup.from_dict(plain) == replace(setup, ball=tc.BallPhysics())
    with pytest.raises(InputError, match=r"PitchFitOptions\.drag = 7\.0: expected 0\.0 \.\. 2\.0"):
        tc.PitchSetup.from_dict({"fit": {"drag": 7.0}})
    with pytest.raises(InputError, match=r"ball: expected names and values, got 3"):
        tc.PitchSetup.from_dict({"ball": 3})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ball": tc.PitchFitOptions()}, "ball: expected BallPhysics, got PitchFitOptions"),
        ({"timing": 7}, "timing: expected PitchEventOptions, got int"),
        ({"zone": None}, "zone: expected a StrikeZone, got NoneType"),
        ({"lanes_px": [[0, 0]]}, r"lanes_px: expected polygons by side, got \[\[0, 0\]\]"),
        ({"lanes_px": {"left": [[0, 0], [1, 1]]}}, r"lanes_px\['left'\]: .* got shape \(2, 2\)"),
        ({"lanes_px": {"left": "all"}}, r"lanes_px\['left'\]: expected corners"),
    ],
)
def test_what_is_no_setup_is_named(given, words):
    with pytest.raises(InputError, match=words):
        tc.PitchSetup(**given)


@pytest.mark.parametrize("make", [
    lambda setup: tc.PitchEngine(RIG, setup),
    lambda setup: tc.CaptureHost((0, 1), RIG, setup=setup),
    lambda setup: tc.SessionWriter("nowhere", "a", RIG, setup),
])  # fmt: skip
def test_what_takes_a_setup_refuses_what_is_none(make):
    with pytest.raises(InputError, match="setup: expected a PitchSetup, got RecordingOptions"):
        make(tc.RecordingOptions())


def test_every_part_is_a_flag_of_replay_and_record():
    for verb in ("replay", "record"):
        shown = run("pitch", verb, "--help").stdout
        for flag in ("--ball", "--ball-mass-kg", "--fit-drag", "--sigma-px", "--fit-sigma-px",
                     "--pre-roll-ms", "--min-contrast"):  # fmt: skip
            assert flag in shown, (verb, flag)


def test_the_ball_is_a_flag_of_fit_and_a_session_s_own_is_the_default(tmp_path):
    seen = thrown()[1]
    rows = [
        f"{side},{t},{u},{v}"
        for side, one in zip(("left", "right"), seen, strict=True)
        for t, (u, v) in zip(one.t_ns.tolist(), one.xy_px.tolist(), strict=True)
    ]
    table = tmp_path / "seen.csv"
    table.write_text("camera,t_ns,u_px,v_px\n" + "\n".join(rows) + "\n")
    tc.save_rig(tmp_path / "rig.json", RIG)
    base = ("pitch", "fit", table, "--rig", tmp_path / "rig.json", "-o", tmp_path, "--json")
    told = only_json(run(*base, "--ball", "Softball"))
    assert told["ball"]["mass_kg"] == SOFTBALL.mass_kg
    assert told["documented"]["diagnostics"]["drag_coefficient"] == pytest.approx(0.35, abs=0.02)
    assert only_json(run(*base))["documented"]["diagnostics"]["drag_coefficient"] > 0.42
    heavier = only_json(run(*base, "--ball", "softball", "--ball-mass-kg", "0.2"))
    assert (
        heavier["documented"]["diagnostics"]["drag_coefficient"]
        > told["documented"]["diagnostics"]["drag_coefficient"]
    )
    said = run(*base, "--ball", "football", code=2).stderr
    assert "expected one of baseball, softball, got 'football'" in " ".join(
        said.replace("│", " ").split()
    )
