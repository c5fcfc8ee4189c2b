"""Write docs/schema from the models.

python .ci/schema.py          write it
python .ci/schema.py --check  exit with 1 and the names of files that are not up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

from trackcore.recording import schema as pitch
from trackcore.session import schema

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schema"


def main() -> int:
    """Write or check the files and return the exit status."""
    stale = []
    for folder, texts in ((FOLDER, schema.files()), (FOLDER / "pitch", pitch.files())):
        if "--check" in sys.argv[1:]:
            there = {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.*")}
            names = sorted(n for n in texts.keys() | there.keys() if texts.get(n) != there.get(n))
            stale += [f"{folder.name}/{name}" for name in names]
            continue
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    if stale:
        names = ", ".join(stale)
        print(f"docs/schema is not what the models say ({names}): run python .ci/schema.py")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
