"""The report of a session of pitches in a real browser: it is clicked through and complains never.

`just e2e` installs what this needs; without it, the tests are skipped and say so.
"""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from tests.hosts.browsing import SOFTWARE_GL, chromium, playwright, visit
from tests.unit import pitch_windows
from trackcore.cameras import WORLD
from trackcore.pitch_report import write_session_report

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        launched = chromium(driver, SOFTWARE_GL)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Reports of two pitches: as they are, without footage or fit, without a plate; and of none."""
    folder = tmp_path_factory.mktemp("sessions")
    rig, windows = pitch_windows.small()
    camera_world = rig.with_world(rig.left.T_cam_world, WORLD)
    bare = dataclasses.replace(windows[0], fit=None, frames={"left": (), "right": ()})
    comparison = (("pitch", "across, in"), ("1", "+0.01"))
    pages = {
        "good": write_session_report(folder / "good.html", windows, rig, title=HOSTILE,
                                     notes=(("where", "a test"),), comparison=comparison),
        "bare": write_session_report(folder / "bare.html", [bare], rig),
        "no plate": write_session_report(
            folder / "plain.html", [pitch_windows.seen_from(camera_world, w) for w in windows],
            camera_world,
        ),
        "empty": write_session_report(folder / "empty.html", [], rig),
    }  # fmt: skip
    return SimpleNamespace(pages=pages, windows=windows)


@pytest.fixture(scope="module")
def page(browser, made):
    """The good report, opened once: each test chooses what it needs."""
    yield from visit(browser, made.pages["good"])


@pytest.mark.parametrize(
    ("which", "width"), [("good", 390), ("bare", 1366), ("no plate", 1366), ("empty", 390)]
)
def test_every_report_fits_the_screen_and_complains_of_nothing(browser, made, which, width):
    for page in visit(browser, made.pages[which], width=width, scheme="dark"):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        said = page.locator("main").inner_text()
        assert ("No pitch was found" in said) == (which == "empty")
        assert (page.locator("#zone").count() == 1) == (which in ("good", "bare"))


def test_a_click_on_a_pitch_shows_its_numbers_its_path_and_its_pictures(page, made):
    rows = page.locator("#pitch-table tbody tr")
    assert rows.count() == 2
    for i, window in enumerate(made.windows):
        rows.nth(i).click()
        assert rows.nth(i).get_attribute("aria-selected") == "true"
        assert page.locator("#numbers-title").inner_text().startswith(window.pitch_id)
        speed = window.fit.documented()["speed_50ft_mph"]
        assert f"{speed:.1f} mph" in page.locator("#numbers-table").inner_text()
        drawn = page.evaluate(
            "document.querySelector('#flight-plot').data.find(t => t.name === 'fitted path').y"
        )
        path = -window.fit.at_times(np.array([window.pitch.end_ns]))[0][0, 2] / 0.3048
        assert min(abs(np.array(drawn) - path)) < 1.0
        assert f"{i + 1:03d}, left" in page.locator("#picture").get_attribute("alt")


def test_a_click_in_the_zone_chooses_the_pitch_and_ninths_count_the_strikes(page, made):
    places = page.locator("#zone-plot .place")
    assert places.count() == 2
    page.locator("#zone-plot .place[data-index='0']").click()
    assert page.locator("#numbers-title").inner_text().startswith(made.windows[0].pitch_id)
    page.get_by_role("button", name="Ninths").click()
    cells = [w.fit.strike.row is not None for w in made.windows]
    counted = page.locator("#zone-plot text").all_text_contents()
    assert sum(int(t) for t in counted if t.isdigit()) == sum(cells)


def test_the_flight_is_turned(page):
    page.wait_for_function(
        "document.querySelector('#flight-plot')._fullLayout?.scene?._scene?.glplot"
    )
    eye = "document.querySelector('#flight-plot')._fullLayout.scene._scene.getCamera().eye"
    page.get_by_role("button", name="Above").click()
    above = page.evaluate(eye)
    assert above["z"] > 10 * np.hypot(above["x"], above["y"])
    box = page.locator("#flight-plot").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 60, steps=5)
    page.mouse.up()
    now = page.evaluate(eye)
    assert np.linalg.norm([now[k] - above[k] for k in "xyz"]) > 0.1


def test_rings_stand_where_the_ball_was_seen_and_the_slider_goes_through_the_pictures(page, made):
    window = made.windows[-1]
    page.locator("#pitch-table tbody tr").last.click()
    rings = page.locator("#marks circle.ball")
    assert rings.count() == len(window.pitch.left)
    at = rings.evaluate_all("all => all.map(c => ['cx', 'cy'].map(n => +c.getAttribute(n)))")
    np.testing.assert_allclose(at, window.pitch.left.xy_px, atol=0.06)
    first = page.locator("#picture").get_attribute("src")
    page.get_by_label("Later picture").click()
    assert "first sighting" in page.locator("#slider-name").inner_text()
    assert page.locator("#picture").get_attribute("src") != first
    assert page.evaluate("document.querySelector('#picture').decode().then(() => true)")
    assert rings.count() == 1
    page.get_by_role("button", name="Right").click()
    assert "right" in page.locator("#picture").get_attribute("alt")
    page.get_by_label("fitted path").uncheck()
    page.get_by_label("ball", exact=True).uncheck()
    assert rings.count() == 0


def test_a_hostile_title_is_text(page):
    assert page.locator(".bar strong").inner_text() == HOSTILE
    assert page.evaluate("window.hacked") is None
