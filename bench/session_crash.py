"""Kill processes that write or import sessions, at random moments, and see what is lost.

    python bench/session_crash.py --kills 1000
    python bench/session_crash.py --imports 300

Each round forks two writers on one store. A writer records session after session; each time a call
of the recorder has returned it notes that in a log of its own. Both are killed (SIGKILL) after a
random time. What the logs say must then be in the store: every session whose `end_session` had
returned, whole; every record of the session that was running, in a session marked as interrupted.
Every other round nobody looks in between, so that the next writers recover the store, and are
killed doing it.

Imports (merge and replace in turns) are killed after a random time, or before a random rename of
the move into place. Whoever opens the store next must find it as it was before, or as the whole
import leaves it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from trackcore.session import text
from trackcore.session.exporting import export_sessions
from trackcore.session.importing import import_sessions
from trackcore.session.models import Session
from trackcore.session.recorder import SessionRecorder
from trackcore.session.store import SessionStore

SAMPLES = 12
TRACKS = [
    {"name": f"track_{i:05d}", "region": "center", "lifespan": 90, "success": True,
     "trajectory": [[0.5, 0.5]] * 36}
    for i in range(20)
]  # fmt: skip


@dataclass
class Report:
    """What became of the sessions."""

    kills: int = 0
    finished: int = 0
    interrupted: int = 0
    moments: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def write_sessions(store: Path, log: Path, seed: int) -> None:
    """Record sessions until killed; note in `log` what must survive."""
    chance = random.Random(seed)
    note = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        os.write(note, b"opening\n")
        recorder = SessionRecorder(store)
        name = recorder.start_session(resolution=(1920, 1080), fps=30, frame_count=SAMPLES)
        os.write(note, f"started {name}\n".encode())
        for frame in range(1, SAMPLES + 1):
            recorder.record_frame_sample(frame, 20, 0, 0.01)
            os.write(note, f"sample {name}\n".encode())
            time.sleep(chance.random() * 0.002)
        recorder.record_tracks(TRACKS)
        os.write(note, f"ending {name}\n".encode())
        recorder.end_session(success=True, solve_error=0.5)
        os.write(note, f"finished {name}\n".encode())


def killed_writers(store: Path, logs: list[Path], chance: random.Random) -> None:
    """Start a writer per log, and kill each after a time of its own."""
    writers = []
    for log in logs:
        seed = chance.getrandbits(32)
        child = os.fork()
        if child == 0:
            try:
                write_sessions(store, log, seed)
            finally:
                os._exit(1)
        writers.append((chance.uniform(0.005, 0.25), child))
    began = time.monotonic()
    for after_s, child in sorted(writers):
        time.sleep(max(0.0, began + after_s - time.monotonic()))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            raise SystemExit("a writer ended by itself: see its traceback")


def check(store: Path, logs: list[Path], report: Report) -> None:
    """Recover the store and compare it with the logs."""
    opened = SessionStore(store)
    opened.recover()
    there = {entry.name: entry for entry in opened.list()}
    report.problems += [f"{e.name}: {e.problem}" for e in there.values() if e.problem]
    left = [p.name for p in opened.home.journals.iterdir()]
    report.problems += [f"left behind: {name}" for name in left]
    for log in logs:
        lines = [line.split() for line in log.read_text().splitlines()]
        report.kills += 1
        report.moments[lines[-1][0] if lines else "opening"] += 1
        samples = Counter(line[1] for line in lines if line[0] == "sample")
        finished = {line[1] for line in lines if line[0] == "finished"}
        for name in [line[1] for line in lines if line[0] == "started"]:
            if name not in there:
                report.problems.append(f"{name}: lost")
                continue
            session = text.parse(Session, opened.sessions.file(name).read_bytes())
            whole = session.success and not session.interrupted and len(session.tracks) == 20
            report.finished += name in finished
            report.interrupted += bool(session.interrupted)
            if name in finished and not whole:
                report.problems.append(f"{name}: finished, but not whole")
            if not whole and not session.interrupted:
                report.problems.append(f"{name}: not whole, but claims to be")
            if len(session.frame_samples or []) < samples[name]:
                report.problems.append(f"{name}: samples lost")


def campaign(kills: int, seed: int = 0, folder: Path | None = None) -> Report:
    """Kill `kills` writers and report."""
    report, chance = Report(), random.Random(seed)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        store = Path(temporary) / "store"
        with SessionRecorder(store) as warm:  # a forked writer need not build the models first
            warm.start_session(resolution=(2, 2), fps=1)
            warm.record_tracks(TRACKS)
        waiting: list[Path] = []
        for i in range((kills + 1) // 2):
            logs = [Path(temporary) / f"{i}-{k}.log" for k in range(min(2, kills - 2 * i))]
            killed_writers(store, logs, chance)
            waiting += [log for log in logs if log.exists()]
            report.kills += sum(not log.exists() for log in logs)
            if i % 2 or 2 * i + 2 >= kills:
                check(store, waiting, report)
                waiting = []
    return report


def records(store: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (store / "sessions").glob("*.json")}


def killed_import(store: Path, archive: Path, mode: str, chance: random.Random) -> None:
    """Import in a process that dies before a random rename, or after a random time."""
    before, after_s = chance.randrange(40), chance.uniform(0.0, 0.6)
    by_rename = chance.random() < 0.5
    child = os.fork()
    if child == 0:
        left, rename = [before], os.rename

        def dying(*paths: object, **options: object) -> None:
            left[0] -= 1
            if by_rename and left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            rename(*paths, **options)  # type: ignore[arg-type]

        try:
            os.rename = os.replace = dying  # type: ignore[assignment]
            import_sessions(SessionStore(store), archive, mode=mode)
        finally:
            os._exit(0)
    if not by_rename:
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def imports(rounds: int, seed: int = 0) -> list[str]:
    """Kill `rounds` imports, and return what is wrong."""
    chance, problems = random.Random(seed), []
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, numbers in (("theirs", range(10, 40)), ("ours", range(15))):
            store = SessionStore(folder / name)
            for i in numbers:
                store.save({
                    "session_id": f"2026-01-01T00-00-00_{i:08x}", "resolution": (1920, 1080),
                    "timestamp": "2026-01-01T00:00:00", "fps": 24, "success": True,
                    "frame_count": len(name), "tracks": TRACKS,
                })  # fmt: skip
        archive = export_sessions(SessionStore(folder / "theirs"), folder / "x.zip").path
        then = records(folder / "ours")
        now = {}
        for mode in ("merge", "replace"):
            shutil.copytree(folder / "ours", folder / mode)
            import_sessions(SessionStore(folder / mode), archive, mode=mode)
            now[mode] = records(folder / mode)
        for i in range(rounds):
            mode, place = ("merge", "replace")[i % 2], folder / f"round-{i}"
            shutil.copytree(folder / "ours", place)
            killed_import(place, archive, mode, chance)
            half = bool(records(place) not in (then, now[mode]))
            found = SessionStore(place) and records(place)
            what = "before" if found == then else "after" if found == now[mode] else "neither"
            outcomes[f"{mode}: {'in the middle, ' * half}found as {what}"] += 1
            if what == "neither":
                problems.append(f"round {i}, {mode}: {len(found)} records")
            shutil.rmtree(place)
    print(f"{rounds} killed imports:", ", ".join(f"{k} {n}" for k, n in sorted(outcomes.items())))
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--imports", type=int, help="kill so many imports instead")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.imports:
        problems = imports(chosen.imports, chosen.seed)
        print(*(f"PROBLEM {problem}" for problem in problems), sep="\n")
        return bool(problems)
    report = campaign(chosen.kills, chosen.seed)
    print(
        f"{report.kills} kills: {report.finished} finished sessions, none of them may be lost;"
        f" {report.interrupted} interrupted ones recovered"
    )
    print("killed after:", ", ".join(f"{what} {n}" for what, n in report.moments.most_common()))
    for problem in report.problems:
        print("PROBLEM", problem)
    return bool(report.problems)


if __name__ == "__main__":
    sys.exit(main())
