"""The page that every report is: one file, no network, styles and scripts inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trackcore.report._html import Html, data, script, tag

_ASSETS = Path(__file__).with_name("assets")
# The browser itself refuses the network; Plotly makes functions while it runs.
_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline' 'unsafe-eval'; worker-src blob:"
)


def asset(name: str) -> str:
    """Return a file that reports are made of."""
    return (_ASSETS / name).read_text(encoding="utf-8")


def page(
    name: str, what: str, maker: str, main: Html, contents: Any, *, style: str,
    scripts: Sequence[str],
) -> str:  # fmt: skip
    """Return the whole page.

    Parameters
    ----------
    name : str
        What the report is about.
    what : str
        What stands behind the name in the window's title.
    maker : str
        The command that made it.
    main : Html
    contents : object
        For the scripts: what JSON can hold, numbers that are not finite become null.
    style : str
    scripts : sequence of str
        Their texts, in their order.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", f"{name}: {what}"),
        Html(f"<style>{style}</style>"),
    )
    body = tag(
        "body",
        tag("div", tag("strong", name), tag("span", maker), class_="bar"),
        main,
        data("contents", contents),
        *map(script, scripts),
    )
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"
