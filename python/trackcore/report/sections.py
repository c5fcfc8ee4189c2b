"""The parts of the report that need no drawing: the grade, the figures, settings, attempts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from trackcore.report import words
from trackcore.report._html import Html, tag
from trackcore.report.measures import Measures
from trackcore.report.rows import ReportAttempt, ReportSetting
from trackcore.solver import Solve, TrackRole
from trackcore.stats import ShotKind

DASH = "–"  # noqa: RUF001 (an en dash: nothing is known)


def section(title: str, *children: object, id_: str, note: str = "", wide: bool = False) -> Html:
    """Return a card with a heading."""
    head = tag("header", tag("h2", title), tag("p", note, class_="note") if note else None)
    css = "card wide" if wide else "card"
    return tag("section", head, *children, class_=css, id=id_)  # type: ignore[arg-type]


def verdict(measures: Measures, notes: Sequence[str] = ()) -> Html:
    """Return the grade, big, with its reasons, what to do and what else to know."""
    solve = measures.solve
    grade = solve.grade
    good = grade.value == "A"
    return tag(
        "section",
        tag(
            "div",
            tag("div", grade.value, class_=f"grade grade-{grade.value}", role="img",
                aria_label=f"Grade {grade.value}"),
            tag("div", tag("h1", words.HEADLINE[grade]), tag("p", words.MEANING[grade])),
            class_="verdict",
        ),
        tag(
            "div",
            tag("div", tag("h3", "What speaks for it" if good else "Why it is no better"),
                _list(solve.reasons or ("No reason was given.",), "reasons")),
            tag("div", tag("h3", "What to do"), _list(words.hints(measures), "hints")),
            tag("div", tag("h3", "What to know"), _list(notes, "notes")) if notes else None,
            class_="because",
        ),
        class_="card wide", id="grade",
    )  # fmt: skip


def figures(measures: Measures, n_tracked: int | None) -> Html:
    """Return the numbers that matter most, as tiles."""
    solve = measures.solve
    given, used = len(measures.tracks), int(measures.used.sum())
    n = given if n_tracked is None else n_tracked
    share = f"{used / n:.0%} became points" if n else DASH
    dropped = f"; {n - given} were filtered out before" if n > given else ""
    frames = int(solve.solved.sum())
    tiles = [
        ("Held-out error", _px(solve.held_out_error_px), _held_out(solve)),
        ("Reprojection error", _px(solve.mean_error_px), "mean, of the tracks that were used"),
        ("Frames solved", f"{frames} / {solve.n_frames}", _span(solve)),
        ("Tracks in the solve", f"{used} / {n}", share + dropped),
        ("Focal length", _px(solve.focal_px, 1), _focal(solve)),
        ("Camera", words.KIND[solve.kind][0], f"{words.KIND[solve.kind][1]}; {_lens(solve)}"),
    ]
    cells = (
        tag("div", tag("dt", name), tag("dd", value), tag("p", note), class_="tile")
        for name, value, note in tiles
    )
    return tag("dl", *cells, class_="tiles wide")


def shot(solve: Solve) -> Html:
    """Return what kind of shot this was taken for, and by which numbers."""
    found = solve.shot
    if found is None:
        return section("Shot", tag("p", "Not classified.", class_="empty"), id_="shot")
    known = {k: v for k, v in found.evidence.items() if math.isfinite(v)}
    sure = "" if found.kind is ShotKind.UNKNOWN else f" · {found.confidence:.0%} sure"
    rows = [tag("tr", tag("th", _spaced(name), scope="row"), tag("td", _number(value), class_="n"))
            for name, value in known.items()]  # fmt: skip
    return section(
        "Shot",
        tag("p", tag("strong", words.SHOT[found.kind]), sure),
        _evidence(solve),
        _details("The evidence for the kind of shot", _table((), rows)),
        id_="shot",
    )


def settings(rows: Sequence[ReportSetting], why: Sequence[str]) -> Html:
    """Return the settings that were used, and why these."""
    if not rows:
        body = tag("p", "These tracks were made elsewhere; their settings are not known.",
                   class_="empty")  # fmt: skip
        return section("Settings", body, id_="settings")
    noted = any(row.why for row in rows)
    body = _table(
        (),
        [tag("tr", tag("th", _spaced(r.name), scope="row"), tag("td", r.value),
             tag("td", r.why) if noted else None) for r in rows],
    )  # fmt: skip
    reasons = (tag("h3", "Why these"), _list(why, "why")) if why else ()
    return section("Settings", body, *reasons, id_="settings")


def attempts(rows: Sequence[ReportAttempt]) -> Html:
    """Return every attempt: what was changed, and how the held-out error moved."""
    if not rows:
        body = tag("p", "Solved once, from the tracks as they were.", class_="empty")
        return section("Attempts", body, id_="attempts")
    lines = [_attempt(number, row) for number, row in enumerate(rows, start=1)]
    note = "" if len(rows) == 1 else "The best one is kept."
    return section("Attempts", tag("ol", *lines, class_="attempts"), id_="attempts", note=note)


def role_filter(measures: Measures) -> Html:
    """Return the chips that choose which tracks the table shows."""
    counts = measures.counted_roles()
    chips = [_chip("all", "all", len(measures.tracks), "every track", on=True)]
    chips += [
        _chip(str(int(role)), words.ROLE[role], counts[role], words.ROLE_MEANS[role])
        for role in TrackRole if counts[role]
    ]  # fmt: skip
    held = int(measures.held_out.sum())
    if held:
        chips.append(_chip("held", "held out", held, "kept aside, to test the camera"))
    return tag("div", *chips, class_="chips", role="group", aria_label="Show tracks by role")


def _chip(value: str, name: str, n: int, means: str, *, on: bool = False) -> Html:
    return tag("button", name, tag("span", n), class_="chip", type="button", title=means,
               data_role=value, aria_pressed="true" if on else "false")  # fmt: skip


def _attempt(number: int, row: ReportAttempt) -> Html:
    grade = row.grade.value if row.grade else DASH
    changed = row.changed or (("First settings",) if number == 1 else ("Nothing",))
    return tag(
        "li",
        tag("span", grade, class_=f"grade small grade-{row.grade.value if row.grade else 'none'}"),
        tag(
            "div",
            tag("p", tag("strong", "; ".join(changed)),
                tag("span", "kept", class_="kept") if row.kept else None),
            tag("p", row.why, class_="note") if row.why else None,
            tag("p", f"held-out error {_px(row.held_out_error_px)} · reprojection "
                f"{_px(row.mean_error_px)} · {row.bundles} of {row.tracks} tracks became points",
                class_="note"),
        ),
    )  # fmt: skip


def _evidence(solve: Solve) -> Html | None:
    """Return the numbers behind the grade."""
    rows = [
        tag("tr", tag("th", _spaced(name), scope="row"),
            tag("td", _number(value) if math.isfinite(value) else "not known", class_="n"))
        for name, value in solve.evidence.items()
    ]  # fmt: skip
    return _details("The numbers behind the grade", _table((), rows)) if rows else None


def _details(title: str, body: Html) -> Html:
    return tag("details", tag("summary", title), body)


def _table(headings: Sequence[str], rows: Sequence[Html]) -> Html:
    head = [tag("thead", tag("tr", *(tag("th", h, scope="col") for h in headings)))]
    return tag(
        "div", tag("table", *(head if headings else []), tag("tbody", *rows)), class_="scroll"
    )


def _list(items: Sequence[str], css: str) -> Html:
    return tag("ul", *(tag("li", item[:1].upper() + item[1:]) for item in items), class_=css)


def _held_out(solve: Solve) -> str:
    n = len(solve.held_out_ids)
    return f"median, of {n} tracks that were kept aside" if n else "no track was kept aside"


def _span(solve: Solve) -> str:
    if not solve.n_frames:
        return "no frames"
    first, last = solve.frame_numbers[[0, -1]].tolist()
    w, h = solve.frame_size
    return f"{first} to {last}, {w} x {h}, {solve.fps:g} fps"


def _focal(solve: Solve) -> str:
    if not math.isfinite(solve.focal_px):
        return "not known"
    view = math.degrees(2 * math.atan(solve.frame_size[0] / 2 / solve.focal_px))
    known = solve.focal_px_per_frame[np.isfinite(solve.focal_px_per_frame)]
    if len(known) and np.ptp(known) > 1e-6 * solve.focal_px:
        return f"{known[0]:.1f} to {known[-1]:.1f} px: it zooms"
    sigma = solve.focal_sigma_px
    sure = "given" if sigma == 0 else f"± {sigma:.1f} px" if math.isfinite(sigma) else "± unknown"
    return f"{sure} · {view:.1f}° across"


def _lens(solve: Solve) -> str:
    if not solve.lens.bends:
        return "lens without distortion"
    terms = ", ".join(f"{k:.4g}" for k in solve.lens.coefficients)
    return f"{solve.lens.model.value.lower()} distortion {terms}"


def _px(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f} px" if math.isfinite(value) else DASH


def _number(value: float) -> str:
    return f"{value:.4g}"


def _spaced(name: str) -> str:
    return name.replace("_", " ")
