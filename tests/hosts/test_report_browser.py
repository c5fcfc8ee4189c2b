"""The report in a real browser: what a person can click works, and nothing is asked of the network.

`just e2e` installs what this needs; without it, the tests are skipped and say so.
"""

import numpy as np
import pytest

from tests.hosts.browsing import SOFTWARE_GL, Watched, chromium, playwright, visit
from tests.solve_makers import no_solve, small_scene, true_solve, true_tracks
from trackcore.frames import open_clip
from trackcore.report import ReportAttempt, ReportSetting, write_report
from trackcore.report.sections import DASH
from trackcore.solver import Grade, SolveKind, TrackRole

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>.mp4"


@pytest.fixture(scope="module")
def driver():
    with playwright.sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(driver):
    launched = chromium(driver, SOFTWARE_GL)
    yield launched
    launched.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A report of a good solve of a clip with a hostile name, and one of none."""
    folder = tmp_path_factory.mktemp("reports")
    scene = small_scene()
    tracks = true_tracks(scene, wrong=(13, 20, 27))
    tracks = tracks.select(np.flatnonzero(tracks.seen.sum(axis=1) > 0))
    images = np.stack(list(scene.frames()))
    solve = true_solve(scene, tracks)
    assert (solve.role == TrackRole.OUTLIER).sum() >= 3
    attempts = (
        ReportAttempt(grade=Grade.D, held_out_error_px=1.5, tracks=40, bundles=9),
        ReportAttempt(changed=("search 71 to 141 px",), grade=Grade.B, kept=True),
    )
    settings = (ReportSetting(name="search_size", value="141 px", why="doubled"),)
    good = write_report(
        folder / "good.html", solve, tracks, clip=open_clip(images, fps=25.0), title=HOSTILE,
        attempts=attempts, settings=settings,
    )  # fmt: skip
    bad = write_report(folder / "bad.html", no_solve(tracks), tracks)
    T = solve.T_cam_world.copy()
    T[:, :3, 3] = 0
    T[4:6] = np.nan
    f = np.linspace(200, 300, len(T))
    turned = true_solve(
        scene, tracks, kind=SolveKind.TRIPOD, T_cam_world=T, focal_px_per_frame=f, grade=Grade.D
    )
    zoom = write_report(folder / "zoom.html", turned, tracks)
    return {"good": good, "bad": bad, "zoom": zoom, "solve": solve, "tracks": tracks}


@pytest.fixture
def page(browser, reports):
    """The good report, opened; fails the test on a console error or a request."""
    yield from visit(browser, reports["good"])


def eye(page):
    """Where the 3-D view is looked at from, as Plotly has it now."""
    page.wait_for_function(
        "document.querySelector('#scene-plot')._fullLayout?.scene?._scene?.glplot"
    )
    now = page.evaluate(
        "document.querySelector('#scene-plot')._fullLayout.scene._scene.getCamera().eye"
    )
    return np.array([now["x"], now["y"], now["z"]])


def columns(page, n):
    return page.locator(f"#track-table tbody td:nth-child({n})").all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 390])
@pytest.mark.parametrize("which", ["good", "bad", "zoom"])
def test_the_report_fits_the_screen_and_complains_of_nothing(
    browser, reports, which, width, scheme
):
    for page in visit(browser, reports[which], width=width, scheme=scheme):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for plot in page.locator(".plot").all():
            assert plot.bounding_box()["width"] <= width
        assert (
            page.locator("#grade .grade").inner_text()
            == {"good": "B", "bad": "F", "zoom": "D"}[which]
        )


def test_a_zoom_with_a_gap_is_drawn_and_said(browser, reports):
    for page in visit(browser, reports["zoom"]):
        eye(page)
        names = page.evaluate("document.querySelector('#series-plot').data.map(t => t.name)")
        assert "focal length" in names
        shown = page.locator("#series-plot .annotation-text").all_text_contents()
        assert "no camera" in shown
        assert "no depth" in page.locator("#scene-note").inner_text()
        assert page.locator("[data-view]").count() == 0


def test_the_scene_is_turned_with_the_mouse(page):
    before = eye(page)
    box = page.locator("#scene-plot").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 30, steps=6)
    page.mouse.up()
    after = eye(page)
    assert np.linalg.norm(after - before) > 0.1
    assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(before), rel=0.05)


def place_of(page, track):
    """Where the 3-D view shows a track's point, in px of the page."""
    return page.evaluate(
        """track => {
            const plot = document.querySelector("#scene-plot");
            const gl = plot._fullLayout.scene._scene;
            const i = contents.scene.points.index.indexOf(track);
            let v = [..."xyz"].map((a, k) => contents.scene.points[a][i] * gl.dataScale[k]);
            v.push(1);
            for (const m of ["model", "view", "projection"]) {
                const by = gl.glplot.cameraParams[m];
                v = [0, 1, 2, 3].map(r => v.reduce((sum, x, c) => sum + by[4 * c + r] * x, 0));
            }
            const box = plot.getBoundingClientRect();
            return [box.left + (1 + v[0] / v[3]) / 2 * box.width,
                    box.top + (1 - v[1] / v[3]) / 2 * box.height];
        }""",
        track,
    )


def test_a_click_on_a_point_of_the_scene_marks_its_track_and_a_drag_does_not(page, reports):
    eye(page)
    shown = page.locator("#scene-plot .hovertext", has_text="track_")
    track = int(np.flatnonzero(reports["solve"].bundled)[7])
    x, y = place_of(page, track)
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    shown.first.wait_for(timeout=5000)
    page.mouse.click(x, y)
    page.wait_for_function("selected !== null", timeout=5000)
    chosen = page.evaluate("selected")
    assert np.hypot(*np.subtract(place_of(page, chosen), (x, y))) < 8
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=4)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert page.evaluate("selected") == chosen


def test_the_scene_is_looked_at_from_above_and_near(page):
    eye(page)
    page.get_by_role("button", name="Above").click()
    x, y, z = eye(page)
    assert z > 10 * np.hypot(x, y)
    wide = page.evaluate("document.querySelector('#scene-plot').layout.scene.xaxis.range")
    page.get_by_role("button", name="Camera path").click()
    near = page.evaluate("document.querySelector('#scene-plot').layout.scene.xaxis.range")
    assert near[1] - near[0] < (wide[1] - wide[0]) / 2


def test_the_slider_goes_through_the_clip(page):
    slider, said = page.locator("#slider"), page.locator("#slider-frame")
    slider.focus()
    page.keyboard.press("Home")
    assert said.inner_text() == "frame 1 of 12"
    first = page.locator("#poster").get_attribute("src")
    assert page.evaluate("document.querySelector('#poster').decode().then(() => true)")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert said.inner_text() == "frame 4 of 12"
    assert page.locator("#poster").get_attribute("src") != first
    page.get_by_label("Later frame").click()
    assert said.inner_text() == "frame 5 of 12"


def test_marks_stand_where_the_tracks_are(page, reports):
    tracks = reports["tracks"]
    page.locator("#slider").fill("3")
    page.wait_for_function(
        "document.querySelector('#slider-frame').textContent.startsWith('frame 4 ')"
    )
    rings = page.locator("#marks .rings circle")
    live = np.flatnonzero(tracks.seen[:, 3])
    assert rings.count() == len(live)
    at = rings.evaluate_all("all => all.map(c => ['cx', 'cy'].map(n => +c.getAttribute(n)))")
    np.testing.assert_allclose(at, tracks.xy_px[live, 3], atol=0.006)
    page.get_by_label("where they should be").uncheck()
    assert page.locator("#marks .crosses path").count() == 0
    page.get_by_label("error, 20 times").check()
    assert page.locator("#marks .errors path").count() == reports["solve"].bundled[live].sum()


def test_the_table_sorts_unknown_last_either_way(page):
    heading = page.locator("#track-table th[data-key=error]")
    heading.click()
    assert heading.get_attribute("aria-sort") == "descending"
    falling = columns(page, 3)
    heading.click()
    rising = columns(page, 3)
    known = [float(v) for v in falling if v != DASH]
    assert known == sorted(known, reverse=True)
    assert [float(v) for v in rising if v != DASH] == sorted(known)
    n_unknown = len(falling) - len(known)
    assert n_unknown > 0
    assert falling[len(known) :] == rising[len(known) :] == [DASH] * n_unknown


def test_the_table_is_filtered_by_role(page, reports):
    solve = reports["solve"]
    for chip, count in (
        ("outlier", (solve.role == TrackRole.OUTLIER).sum()),
        ("held out", len(solve.held_out_ids)),
        ("all", len(solve.ids)),
    ):
        page.locator("#tracks .chip", has_text=chip).click()
        assert page.locator("#track-table tbody tr").count() == count
    page.locator("#tracks .chip", has_text="outlier").click()
    assert set(columns(page, 2)) == {"outlier"}


def test_a_track_chosen_in_the_table_is_marked_in_both_views(page):
    eye(page)
    page.locator("#slider").fill("0")
    row = page.locator("#track-table tbody tr", has_text="in the solve").first
    name = row.locator("td").first.inner_text()
    row.click()
    assert row.get_attribute("aria-selected") == "true"
    assert page.locator("#marks .chosen circle").count() == 1
    names = page.evaluate("document.querySelector('#scene-plot').data.map(t => t.name)")
    assert name in names
    row.click()
    assert page.locator("#marks .chosen circle").count() == 0


def test_the_region_map_shows_what_is_asked(page):
    tracks = page.locator("#region-map b").all_inner_texts()
    page.get_by_role("button", name="Survival").click()
    shares = page.locator("#region-map b").all_inner_texts()
    assert len(tracks) == len(shares) == 9
    assert sum(map(int, tracks)) == page.evaluate("contents.tracks.id.length")
    assert all(share.endswith("%") or share == DASH for share in shares)


def test_a_click_on_a_frame_of_the_chart_shows_it(page):
    page.wait_for_selector("#series-plot .nsewdrag", state="attached")
    page.locator("#series-plot").scroll_into_view_if_needed()
    box = page.locator("#series-plot .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 0.99 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_timeout(150)
    page.mouse.click(box["x"] + 0.99 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_function(
        "document.querySelector('#slider-frame').textContent === 'frame 12 of 12'"
    )


def test_charts_follow_a_change_of_the_scheme(page):
    eye(page)
    text = "document.querySelector('#scene-plot').layout.font.color"
    light = page.evaluate(text)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{text} !== '{light}'")


def test_a_clips_name_is_text_whatever_it_is(page):
    assert page.locator(".bar strong").inner_text() == HOSTILE
    assert page.evaluate("contents.title") == HOSTILE
    assert page.evaluate("window.hacked") is None


def test_the_browser_itself_refuses_the_network(browser, reports):
    context = browser.new_context()
    watched = Watched(context.new_page())
    page = watched.open(reports["good"])
    assert page.evaluate("fetch('https://example.com').then(() => true, () => false)") is False
    context.close()
    assert any("Content Security Policy" in text for text in watched.complaints)
    assert watched.requests == []


def test_without_webgl_the_path_is_shown_from_above(driver, reports):
    plain = chromium(driver, ["--disable-3d-apis"])
    try:
        for page in visit(plain, reports["good"]):
            assert "no WebGL" in page.locator("#scene-note").inner_text()
            kinds = page.evaluate("document.querySelector('#scene-plot').data.map(t => t.type)")
            assert set(kinds) == {"scatter"}
    finally:
        plain.close()
