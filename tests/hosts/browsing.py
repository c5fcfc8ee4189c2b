"""A real browser for the tests of reports: it says what the page complained about or asked for."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cv2")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="needs Playwright (just e2e installs it)"
)

QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
SOFTWARE_GL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def chromium(driver, arguments):
    found = [shutil.which(n) for n in ("chromium", "chromium-browser", "google-chrome")]
    path = next((p for p in found if p), None)
    try:
        return driver.chromium.launch(executable_path=path, args=[*QUIET, *arguments])
    except playwright.Error as error:
        pytest.skip(f"needs Chromium (just e2e installs it): {str(error).splitlines()[0]}")


@dataclass
class Watched:
    """A page, and what it complained about or asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, path: Path) -> Any:
        page = self.page
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.requests.append(request.url)


def visit(browser, path, *, width=1366, scheme="light"):
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    watched = Watched(context.new_page())
    try:
        yield watched.open(path)
        watched.page.wait_for_timeout(200)
    finally:
        context.close()
    assert watched.complaints == []
    assert watched.requests == []
