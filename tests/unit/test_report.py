"""The report's contents, without a browser."""

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.solve_makers import no_solve, small_scene, true_solve, true_tracks
from trackcore import report
from trackcore.errors import InputError
from trackcore.frame_regions import REGIONS
from trackcore.frames import open_clip
from trackcore.report import ReportAttempt, ReportSetting, write_report
from trackcore.report._html import data, script, tag
from trackcore.report.measures import Measures
from trackcore.report.scene3d import scene as scene_of
from trackcore.report.words import hints
from trackcore.solver import Grade, SolveKind, TrackRole

PLOTLY = "aab04dcd9c103a92b18723f8c837712fe820f325d0bcd2421e415e8124a75b9f"


@pytest.fixture(scope="module")
def made():
    scene = small_scene()
    tracks = true_tracks(scene, wrong=(13, 20))
    return scene, tracks, true_solve(scene, tracks)


class Reader(HTMLParser):
    """Elements with their attributes, text by element id, and what is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.ids, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, name, attributes):
        given = dict(attributes)
        self.links += [v for k, v in given.items() if k in ("src", "href", "action") and v]
        self.ids += [given["id"]] if "id" in given else []
        if name not in ("meta", "br", "input", "img"):
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, text):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(text.strip())


def contents(path):
    found = re.search(
        r'<script type="application/json" id="contents">(.*?)</script>', path.read_text("utf-8")
    )
    return json.loads(found[1])


def written(tmp_path, made, **more):
    _, tracks, solve = made
    return write_report(tmp_path / "report.html", more.pop("solve", solve), tracks, **more)


def test_it_is_one_whole_file_that_loads_nothing(tmp_path, made):
    scene = made[0]
    images = np.stack(list(scene.frames()))
    text = written(tmp_path, made, clip=open_clip(images)).read_text("utf-8")
    read = Reader(text)
    assert read.open == []
    assert read.links == []
    assert len(read.ids) == len(set(read.ids))
    assert "default-src &#x27;none&#x27;;" in text
    assert text.count("plotly.js (gl3d - minified)") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("grade", list(Grade))
def test_the_grade_and_its_reasons_come_first(tmp_path, made, grade):
    _, tracks, _ = made
    solve = true_solve(made[0], tracks, grade=grade, reasons=("low parallax", "a <reason> & more"))
    words = Reader(written(tmp_path, made, solve=solve).read_text("utf-8")).words
    words = [word for word in words if word]
    at = words.index(grade.value)
    assert at < 6
    assert words.index("Low parallax") < words.index("Camera and points")
    assert "A <reason> & more" in words


def test_text_of_others_is_text(tmp_path, made):
    bad = "</script><script>alert(1)</script>\"'<!--"
    path = written(
        tmp_path, made, title=bad, attempts=(ReportAttempt(changed=(bad,), why=bad),),
        settings=(ReportSetting(name=bad, value=bad, why=bad),),
    )  # fmt: skip
    text = path.read_text("utf-8")
    assert "<script>alert" not in text
    assert Reader(text).open == []
    assert contents(path)["title"] == bad


def test_the_numbers_are_those_of_the_solve(tmp_path, made):
    _, tracks, solve = made
    told = contents(written(tmp_path, made))
    assert told["series"]["frames"] == tracks.frame_numbers.tolist()
    np.testing.assert_allclose(told["series"]["rms"], solve.frame_error_px, atol=1e-4)
    assert told["series"]["tracks"] == tracks.seen.sum(axis=0).tolist()
    assert told["tracks"]["role"] == solve.role.tolist()
    errors = [np.nan if e is None else e for e in told["tracks"]["error"]]
    np.testing.assert_allclose(errors, solve.track_error_px, atol=1e-3)
    assert sum(told["tracks"]["held"]) == len(solve.held_out_ids)
    assert [r["name"] for r in told["regions"]] == list(REGIONS)
    assert sum(r["tracks"] for r in told["regions"]) == (tracks.seen.any(axis=1)).sum()
    assert sum(r["bundles"] for r in told["regions"]) == (solve.role == TrackRole.BUNDLE).sum()


def test_held_out_tracks_are_no_part_of_the_solves_own_error(made):
    _, tracks, solve = made
    measures = Measures(solve, tracks)
    series = measures.frame_series()
    used = (solve.role == TrackRole.BUNDLE) & ~np.isin(solve.ids, solve.held_out_ids)
    i = 4
    error = np.linalg.norm(tracks.xy_px[:, i] - solve.project(i), axis=1)
    assert series["error"][i] == pytest.approx(np.nanmedian(error[used]), abs=1e-4)
    held = np.isin(solve.ids, solve.held_out_ids)
    assert series["held"][i] == pytest.approx(np.nanmedian(error[held]), abs=1e-4)


def test_the_view_has_up_up_and_depth_ahead(made):
    _, tracks, solve = made
    told = scene_of(Measures(solve, tracks))
    assert told["frames"] == solve.frame_numbers.tolist()
    path = np.array([told["path"][a] for a in "xyz"]).T
    np.testing.assert_allclose(path[:, 0], solve.centres[:, 0], atol=1e-4)
    np.testing.assert_allclose(path[:, 1], solve.centres[:, 2], atol=1e-4)
    np.testing.assert_allclose(path[:, 2], -solve.centres[:, 1], atol=1e-4)
    for corner in ("x", "y", "z"):
        assert None in told["frusta"][corner]  # lines are broken between views
    for (lo, hi), axis in zip(told["view"], "xyz", strict=True):
        near = [v for v in told["path"][axis] if v is not None]
        assert lo < min(near) <= max(near) < hi


def test_a_point_far_away_does_not_shrink_the_view(made):
    _, tracks, solve = made
    points = solve.points.copy()
    points[np.flatnonzero(solve.bundled)[0]] = (0, 0, 1e6)
    told = scene_of(Measures(dataclasses.replace(solve, points=points), tracks))
    assert told["outside"] >= 1
    assert max(hi for _, hi in told["view"]) < 1e3


def test_pictures_are_embedded_and_no_wider_than_needed(tmp_path, made):
    cv2 = pytest.importorskip("cv2")
    scene, tracks, _ = made
    images = np.stack(list(scene.frames()))
    posters = contents(written(tmp_path, made, clip=open_clip(images)))["posters"]
    assert [p["frame"] for p in posters] == list(range(1, 13))
    kind, payload = posters[3]["src"].split(";base64,")
    assert kind in ("data:image/webp", "data:image/jpeg")
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(payload), np.uint8), 0)
    assert decoded.shape == (180, 320)
    assert np.abs(decoded.astype(float) - images[3]).mean() < 12
    marks = posters[3]["marks"]
    live = np.flatnonzero(tracks.seen[:, 3])
    assert marks["track"] == live.tolist()
    tail = np.reshape(marks["tail"][0], (-1, 2))
    np.testing.assert_allclose(tail, tracks.xy_px[live[0], 2::-1], atol=0.06)


def test_pictures_are_chosen_by_frame_number(tmp_path):
    scene = small_scene()
    images = np.stack(list(scene.frames()))
    tracks = true_tracks(scene).between(4, 12)
    solve = no_solve(tracks)
    path = write_report(tmp_path / "r.html", solve, tracks, clip=open_clip(images)[2:])
    assert [p["frame"] for p in contents(path)["posters"]] == list(range(5, 13))
    assert all(p["src"] for p in contents(path)["posters"])


def test_without_footage_the_marks_stand_alone(tmp_path, made):
    assert {p["src"] for p in contents(written(tmp_path, made))["posters"]} == {None}


def test_no_camera_is_said_and_nothing_is_made_up(tmp_path, made):
    tracks = made[1]
    path = write_report(tmp_path / "r.html", no_solve(tracks), tracks)
    told = contents(path)
    assert told["scene"]["path"] == {"x": [], "y": [], "z": []}
    assert set(told["series"]["rms"]) == {None}
    assert told["heldOut"] is None
    assert "NaN" not in json.dumps(told)
    assert "No camera" in path.read_text("utf-8")


def test_no_frames_and_no_tracks_make_a_report_too(tmp_path, made):
    nothing = made[1].select([]).between(0, 0)
    assert write_report(tmp_path / "r.html", no_solve(nothing), nothing).exists()


def test_tracks_of_another_solve_are_refused(tmp_path, made):
    _, tracks, solve = made
    with pytest.raises(InputError, match="tracks that were solved"):
        write_report(tmp_path / "r.html", solve, tracks.select(np.arange(5)))
    assert list(tmp_path.iterdir()) == []


def test_footage_of_another_size_is_refused(tmp_path, made):
    with pytest.raises(InputError, match="clip: expected frames of"):
        written(tmp_path, made, clip=open_clip(np.zeros((12, 90, 160), np.uint8)))


def test_hints_name_the_frame_the_place_and_the_lens(made):
    _, tracks, solve = made
    error = solve.frame_error_px.copy()
    error[6] = 9.0
    unsure = dataclasses.replace(
        solve, frame_error_px=error, focal_sigma_px=0.1 * solve.focal_px, grade=Grade.C
    )
    said = " ".join(hints(Measures(unsure, tracks)))
    assert f"Frame {tracks.frame_numbers[6]} fits worst (9.00 px" in said
    assert "uncertain by 10%" in said
    assert "--focal-mm" in said


def test_a_tripod_says_that_it_shows_no_depth(tmp_path, made):
    solve = true_solve(made[0], made[1], kind=SolveKind.TRIPOD)
    path = written(tmp_path, made, solve=solve)
    assert contents(path)["scene"]["tripod"] is True
    assert "Tripod" in path.read_text("utf-8")


def test_elements_escape_what_is_not_html():
    assert tag("p", "<b>", class_='a"b') == '<p class="a&quot;b">&lt;b&gt;</p>'
    assert tag("p", tag("b", "x"), hidden=True, id=None) == "<p hidden><b>x</b></p>"
    assert "</script" not in data("d", {"x": "</script>"}).removesuffix("</script>")
    with pytest.raises(ValueError, match="end its own element"):
        script("'</SCRIPT>'")


def test_the_vendored_script_is_what_its_makers_released():
    assets = Path(report.__file__).with_name("assets")
    script_file = assets / "plotly-gl3d.min.js"
    assert hashlib.sha256(script_file.read_bytes()).hexdigest() == PLOTLY
    assert "v4.1.1" in script_file.read_text("utf-8")[:200]
    assert "MIT License" in (assets / "plotly-LICENSE").read_text("utf-8")
