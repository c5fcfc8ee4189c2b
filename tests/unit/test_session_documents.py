"""The two examples of "Analyzing Your Data" run on our store as they stand, but for the path."""

import subprocess
import sys

import pytest

import trackcore as tc
from tests.unit.session_makers import session

LOADING = """\
import json
from pathlib import Path

# Load all sessions
sessions_dir = Path("~/.config/blender/.../autosolve/sessions")
sessions = []
for f in sessions_dir.glob("*.json"):
    with open(f) as fp:
        sessions.append(json.load(fp))

# Analyze success rates by footage class
from collections import defaultdict
by_class = defaultdict(list)
for s in sessions:
    width = s['resolution'][0]
    fps = s['fps']
    cls = f"{'HD' if width >= 1920 else 'SD'}_{int(fps)}fps"
    by_class[cls].append(s['success'])

for cls, results in by_class.items():
    rate = sum(results) / len(results)
    print(f"{cls}: {rate:.1%} success ({len(results)} sessions)")
"""
REGIONS = """\
# Find regions that consistently fail
region_stats = defaultdict(lambda: {'total': 0, 'success': 0})

for session in sessions:
    for track in session['tracks']:
        region = track['region']
        region_stats[region]['total'] += 1
        if track['contributed_to_solve']:
            region_stats[region]['success'] += 1

print("Region Performance:")
for region, stats in region_stats.items():
    rate = stats['success'] / max(stats['total'], 1)
    status = "🔴" if rate < 0.5 else ("🟡" if rate < 0.7 else "🟢")
    print(f"  {status} {region}: {rate:.1%}")
"""
THEIR_PATH = "~/.config/blender/.../autosolve/sessions"


@pytest.fixture
def store(tmp_path):
    store = tc.SessionStore(tmp_path)
    for seed in range(8):
        store.save(session(seed, n_tracks=9))
    recorder = tc.SessionRecorder(store)
    recorder.start_session(resolution=(1920, 1080), fps=60)  # nothing tracked
    recorder.end_session(success=False)
    # what a running session and a killed writer leave about must not be met
    recorder.start_session(resolution=(1920, 1080), fps=60)
    (store.home.sessions / ".x.json.1.2.part").write_text("{")
    return store


def output_of(script, store):
    assert THEIR_PATH in script
    script = script.replace(THEIR_PATH, store.home.sessions.as_posix())
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", script], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_success_rates_by_footage_class(store):
    lines = output_of(LOADING, store)
    assert sorted(lines) == [
        "HD_24fps: 100.0% success (2 sessions)",
        "HD_29fps: 50.0% success (2 sessions)",
        "HD_60fps: 50.0% success (2 sessions)",
        "SD_24fps: 0.0% success (1 sessions)",
        "SD_29fps: 100.0% success (1 sessions)",
        "SD_60fps: 100.0% success (1 sessions)",
    ]


def test_regions_that_consistently_fail(store):
    lines = output_of(LOADING + "\n" + REGIONS, store)
    report = lines[lines.index("Region Performance:") + 1 :]
    assert len(report) == 9
    # by construction tracks 0, 3 and 6 of 9 fail, one track per region
    assert sorted(line.split()[1] for line in report if "🔴" in line) == [
        "bottom-left:", "mid-left:", "top-left:",
    ]  # fmt: skip
    assert all(line.endswith((" 100.0%", " 0.0%")) for line in report)
