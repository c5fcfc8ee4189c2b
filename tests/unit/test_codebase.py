"""The house rules, as tests. CONTRIBUTING.md says why each exists."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import trackcore
from trackcore import _core

PROJECT = Path(__file__).resolve().parents[2]
MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 60


def found(*patterns: str) -> list[Path]:
    return sorted(
        path
        for pattern in patterns
        for path in PROJECT.glob(pattern)
        if "third_party" not in path.parts and "__pycache__" not in path.parts
    )


def ids(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


PACKAGE = found("python/trackcore/**/*.py")
PYTHON = PACKAGE + found("tests/**/*.py", "bench/**/*.py")
CPP = found("src/cpp/**/*.cpp", "src/cpp/**/*.hpp")
CORE = [path for path in CPP if "core" in path.parts]
# Everything compiled once per CPU level, and the headers that only such files may include.
LEVELS = found("src/cpp/core/simd/levels/*", "src/cpp/core/simd/vec*.hpp")
WORDS = found("*.md", "*.toml", "*.txt", "*.json", "justfile", "docs/**/*.md", "bench/**/*.md")
WORDS += found(".ci/*", ".github/**/*.yml", ".github/*.md", ".pre-commit-config.yaml")


def code_lines(function: ast.AST, text: list[str]) -> int:
    """Count the lines of a function that are neither blank, nor comment, nor docstring."""
    assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = range(first.lineno, (first.end_lineno or 0) + 1) if is_docstring else range(0)
    return sum(
        line not in docstring and not re.match(r"\s*(#|$)", text[line - 1])
        for line in range(function.lineno, (function.end_lineno or 0) + 1)
    )


def listed_modules() -> set[str]:
    """Modules that the import contract gives a place."""
    layers = re.search(
        r"^layers = \[(.*?)^\]", (PROJECT / "pyproject.toml").read_text(), re.M | re.S
    )
    assert layers is not None
    return set(re.findall(r"\w+", layers[1]))


def imported_modules(path: Path) -> set[str]:
    """Modules of the package that a file imports, first part only."""
    text = path.read_text(encoding="utf-8")
    return set(re.findall(r"^\s*(?:from|import) trackcore\.(\w+)", text, re.M))


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def test_there_is_something_to_check() -> None:
    assert len(PACKAGE) > 10
    assert len(CORE) > 10
    assert len(LEVELS) > 2


def test_a_module_without_a_place_is_a_stage() -> None:
    vocabulary = {"pyramid", "tracks", "options", "types", "errors", "_check", "_compat", "_core"}
    vocabulary |= {"frame_regions", "normalised"}
    for path in PACKAGE:
        module = path.relative_to(PROJECT / "python/trackcore").parts[0].removesuffix(".py")
        if module not in listed_modules() | {"__init__"}:
            assert imported_modules(path) <= vocabulary, f"{module}: stages share words, not code"


def test_files_are_small() -> None:
    lines = {ids(p): len(p.read_text(encoding="utf-8").splitlines()) for p in PYTHON + CPP}
    long = {path: n for path, n in lines.items() if n > MOST_FILE_LINES}
    assert long == {}, "split it by concept, not by size"


def test_functions_fit_a_screen() -> None:
    long = {}
    for path in PYTHON:
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                size = code_lines(node, source.splitlines())
                if size > MOST_FUNCTION_LINES:
                    long[f"{ids(path)}: {node.name}"] = size
    assert long == {}


def test_only_the_bindings_know_python() -> None:
    knowing = [ids(p) for p in CPP if re.search(r"pybind11|Python\.h|PyObject", p.read_text())]
    assert [path for path in knowing if not path.startswith("src/cpp/bind/")] == []


def test_the_core_includes_nothing_of_ours_but_the_core() -> None:
    ours = re.compile(r"^(?!core/|Eigen/).*/")
    strange = {ids(p): [i for i in includes(p) if ours.match(i)] for p in CORE}
    assert {p: i for p, i in strange.items() if i and i != ["sys/mman.h"]} == {}


def test_code_of_one_cpu_level_shares_nothing_with_another() -> None:
    # An inline function of the standard library or Eigen is compiled here with this level's
    # instructions, and the linker may then use that copy everywhere, also on an older CPU.
    allowed = {"cstddef", "cstdint", "cstring", "limits", "math.h"}
    allowed |= {"immintrin.h", "emmintrin.h", "arm_neon.h"}
    strange = {
        f"{ids(p)}: {i}"
        for p in LEVELS
        for i in includes(p)
        if not i.startswith("core/simd/") and i not in allowed
    }
    assert strange == set()


def level_objects() -> Iterator[tuple[str, Path]]:
    """Yield the level and object file of each kernel in the newest ordinary build in build/."""
    ordinary = {"CMAKE_BUILD_TYPE:STRING=Release", "TRACKCORE_SANITIZE:STRING=OFF"}
    caches = [
        cache
        for cache in PROJECT.glob("build/*/CMakeCache.txt")
        if ordinary <= set(cache.read_text(encoding="utf-8").splitlines())
    ]
    for cache in sorted(caches, key=lambda p: p.stat().st_mtime)[-1:]:
        for folder in cache.parent.glob("CMakeFiles/trackcore_*.dir"):
            for path in folder.glob("src/cpp/core/simd/levels/*.cpp.o"):
                yield folder.name.removeprefix("trackcore_").removesuffix(".dir"), path


def test_code_of_one_cpu_level_exports_only_its_table() -> None:
    nm = shutil.which("nm")
    objects = list(level_objects())
    if nm is None or not objects:
        pytest.skip("needs nm and a build in build/ (pip install . makes one)")
    for level, path in objects:
        listing = subprocess.run(
            [nm, "-C", "--defined-only", "--extern-only", path],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        names = [line.split(maxsplit=2)[2] for line in listing.splitlines() if line]
        assert names, path
        assert [n for n in names if not n.endswith(f"_{level}")] == [], path


def test_there_is_one_version() -> None:
    project = (PROJECT / "pyproject.toml").read_text()
    match = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert match
    assert importlib.metadata.version("trackcore") == match[1], "installed from another version"
    assert _core.__version__ == match[1], "rebuild: the compiled core is of another version"
    again = re.compile(r"__version__\s*[:=].*\d|project\(.*VERSION|VERSION\s+\d+\.\d")
    texts = [*PACKAGE, *CPP, PROJECT / "CMakeLists.txt", *found("python/trackcore/*.pyi")]
    assert [ids(p) for p in texts if again.search(_but_cmake_minimum(p))] == []


def _but_cmake_minimum(path: Path) -> str:
    return re.sub(r"cmake_minimum_required\(.*\)", "", path.read_text(encoding="utf-8"))


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    homes = re.compile(r"(?<![\w.~*}$)-])/(?:home|root|Users|work|mnt)/\w|[A-Z]:\\\\?Users")
    this = Path(__file__).resolve()
    knowing = {
        f"{ids(p)}:{n}"
        for p in [*PYTHON, *CPP, *WORDS]
        if p != this and p.is_file()
        for n, line in enumerate(p.read_text(encoding="utf-8").splitlines(), 1)
        if homes.search(line)
    }
    assert knowing == set()


def test_each_public_name_says_what_it_is() -> None:
    values = {name: getattr(trackcore, name) for name in trackcore.__all__}
    texts = {name: inspect.getdoc(value) or "" for name, value in values.items()}
    # a dataclass without a docstring makes one up: its signature
    assert [n for n, text in texts.items() if not text or text.startswith(f"{n}(")] == []


def test_importing_trackcore_is_light() -> None:
    heavy = "{'cv2', 'rich', 'typer', 'matplotlib', 'scipy', 'pydantic', 'msgspec'}"
    script = f"import sys, trackcore; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_modules_import_their_neighbours_not_the_package() -> None:
    # The import contracts (lint-imports) cannot see through `import trackcore`.
    modules = {p.stem if p.is_file() else p.name for p in (PROJECT / "python/trackcore").iterdir()}
    through = set()
    for path in PACKAGE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import) and "trackcore" in [a.name for a in node.names]:
                through.add(f"{ids(path)}: import trackcore")
            elif isinstance(node, ast.ImportFrom) and node.module == "trackcore":
                names = {a.name for a in node.names} - modules - {"_core"}
                through.update(f"{ids(path)}: from trackcore import {name}" for name in names)
    assert {t for t in through if not t.startswith("python/trackcore/cli")} == set()


def test_the_commit_hooks_use_the_pinned_tools() -> None:
    hooks = PROJECT / ".pre-commit-config.yaml"
    if not hooks.exists():
        pytest.skip("not in a source distribution")
    pins = set(re.findall(r"[\w-]+==[\w.]+", hooks.read_text()))
    assert pins
    assert pins <= set(re.findall(r"[\w-]+==[\w.]+", (PROJECT / "pyproject.toml").read_text()))
