"""Write docs/schema from the models.

python .ci/schema.py          write it
python .ci/schema.py --check  exit with 1 and the names of files that are not up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

from trackcore.session import schema

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schema"


def main() -> int:
    """Write or check the files and return the exit status."""
    texts = schema.files()
    if "--check" in sys.argv[1:]:
        there = {p.name: p.read_text(encoding="utf-8") for p in FOLDER.glob("*")}
        stale = sorted(n for n in texts.keys() | there.keys() if texts.get(n) != there.get(n))
        if stale:
            print(
                f"docs/schema is not what the models say ({', '.join(stale)}):"
                " run python .ci/schema.py"
            )
        return bool(stale)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
