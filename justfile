# One verb, one habit. `pip install '.[dev]'` brings every tool named here, `just` too.
# Python is the one on PATH: activate your environment first.

set shell := ["bash", "-euo", "pipefail", "-c"]

cpp := "git ls-files --cached --others --exclude-standard 'src/cpp/*.cpp' 'src/cpp/*.hpp' ':!src/cpp/third_party'"

# list the verbs
default:
    @just --list --unsorted

# compile the core and install the package, editable; run again after a change in C++
build:
    python -m pip install -e '.[dev]'

# format Python and C++
fmt:
    ruff format .
    {{cpp}} | xargs clang-format -i

# style, and who may import whom
lint:
    ruff format --check .
    ruff check .
    {{cpp}} | xargs clang-format --dry-run -Werror
    PYTHONPATH=python lint-imports --no-cache

# regenerate the core's stub and the schema files, and check types
types:
    python .ci/stub.py
    python .ci/schema.py
    python -m mypy

# the test suite; arguments go to pytest
test *arguments:
    python -m pytest {{arguments}}

# the report in a real browser: installs Playwright and, unless one is there, Chromium; then tests
e2e *arguments:
    python -m pip install -q -e '.[e2e]'
    command -v chromium chromium-browser google-chrome >/dev/null || python -m playwright install --with-deps chromium
    python -m pytest tests/hosts {{arguments}}

# the benchmarks; arguments go to pytest
bench *arguments:
    python -m pytest bench {{arguments}}

# the test suite on a core with sanitizers: "address,undefined" or "thread"
sanitize kind="address,undefined" *arguments:
    .ci/sanitize '{{kind}}' {{arguments}}

# clang-tidy over the C++; its tools: pip install '.[tidy]'
tidy:
    cmake --preset tidy
    cmake --build --preset tidy

# source distribution and wheel of this Python, in dist/
wheels:
    python -m build
    [[ "$(uname)" != Linux ]] || python -m auditwheel show dist/*.whl

# what CI runs, start to end, in environments of its own
ci:
    .ci/run
