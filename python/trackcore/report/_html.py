"""HTML made of elements: whatever is not an element is escaped."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable
from typing import Any, Union

_VOID = frozenset({"br", "input", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = Union[str, int, None, Iterable["Child"]]  # noqa: UP007 (it refers to itself)


def tag(name: str, /, *children: Child, **attributes: object) -> Html:
    """Return an element; strings among the children and all attributes are escaped.

    Attributes: a trailing underscore is dropped (`class_`), others become hyphens; True stands
    alone, None and False are left out.
    """
    words = [name]
    for key, value in attributes.items():
        written = key.rstrip("_").replace("_", "-")
        if value is True:
            words.append(written)
        elif value is not None and value is not False:
            words.append(f'{written}="{html.escape(str(value))}"')
    opened = f"<{' '.join(words)}>"
    return Html(opened) if name in _VOID else Html(f"{opened}{join(children)}</{name}>")


def join(children: Child) -> Html:
    """Return children one after the other."""
    if children is None:
        return Html("")
    if isinstance(children, Html):
        return children
    if isinstance(children, (str, int)):
        return Html(html.escape(str(children)))
    return Html("".join(map(join, children)))


def script(text: str) -> Html:
    """Return a script of ours.

    Raises
    ------
    ValueError
        If it would end the element it stands in.
    """
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError("script: would end its own element")
    return Html(f"<script>{text}</script>")


def data(name: str, value: Any) -> Html:
    """Return a value as a JSON block that no text in it can end."""
    text = json.dumps(plain(value), allow_nan=False, separators=(",", ":"))
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Html(f'<script type="application/json" id="{name}">{safe}</script>')


def plain(value: Any) -> Any:
    """Return the same with None for what is not finite, and whole floats written short."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
