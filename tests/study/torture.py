"""Kills writers at random and fills the disk at every write, then looks for what was acknowledged.

``PYTHONPATH=tests python tests/study/torture.py --kills 500 --writers 2 --full-disks 400`` prints one JSON line of
figures and exits 1 if anything acknowledged was lost, a chain was torn, or a ledger could not be opened. A kill cannot
show what a power cut does: test_schema.py asserts the settings that matter then. A full disk is simulated by a limit on
the size of files.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import select
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from made import TEMPLATE, gated, sample

from cytorecon.errors import StudyError
from cytorecon.gating import GatedSample
from cytorecon.study import Study, open_study, verify
from cytorecon.study.recording import begin
from cytorecon.study.schema import connected

# A fresh ledger now and then, so that reading the old one does not take all the time.
KILLS_A_LEDGER = 50


def write_all(study: Study, results: list[GatedSample], pipe: int) -> None:
    """Record one sample after another, and say so after each: what was said must never be lost."""
    with connected(study.ledger, write=True) as connection:
        recorder = begin(connection, [result.sample for result in results if result.sample], TEMPLATE)
        for result in results:
            recorder.record(result)
            os.write(pipe, f"{recorder.standing.sequence}\n".encode())


def start_writer(study: Study, results: list[GatedSample], size_limit: int | None = None) -> tuple[int, int]:
    """Process and the end of the pipe on which it acknowledges."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child:
        os.close(write_end)
        return child, read_end
    os.close(read_end)
    try:
        if size_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size_limit, size_limit))
        write_all(study, results, write_end)
    except StudyError:
        os._exit(3)
    except BaseException as error:  # reported to the parent by the exit code
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(4)
    os._exit(0)


def acknowledged(pipe: int) -> list[int]:
    """Numbers of the records a writer said were on disk; the last line may be cut."""
    data = b""
    while chunk := os.read(pipe, 65536):
        data += chunk
    os.close(pipe)
    return [int(line) for line in data.split(b"\n")[:-1]]


def kill_writers(study: Study, results: list[list[GatedSample]], generator: random.Random) -> list[int]:
    """Let writers run for a moment, kill them all, and return what they acknowledged."""
    started = [start_writer(study, own) for own in results]
    if generator.random() < 0.8:  # the others die while they open the ledger
        select.select([pipe for _, pipe in started], [], [], 10)
    time.sleep(generator.uniform(0.0, 0.05))
    for child, _ in started:
        os.kill(child, signal.SIGKILL)
    for child, _ in started:
        os.waitpid(child, 0)
    return [number for _, pipe in started for number in acknowledged(pipe)]


def fill_disk(study: Study, results: list[GatedSample], size_limit: int) -> tuple[list[int], int]:
    """Let one writer meet a full disk: no file may grow beyond the limit. Acknowledged numbers, exit code."""
    child, pipe = start_writer(study, results, size_limit)
    numbers = acknowledged(pipe)
    _, status = os.waitpid(child, 0)
    return numbers, os.waitstatus_to_exitcode(status)


def made(patient: str, first: int, count: int) -> list[GatedSample]:
    """Results of one patient, numbered so that no two rounds make the same."""
    return [gated(sample(patient, 1, replicate=first + number)) for number in range(count)]


def held(study: Study) -> set[int]:
    """Numbers of all records."""
    with connected(study.ledger) as connection:
        return {number for (number,) in connection.execute("SELECT sequence FROM record")}


class Figures(dict):
    """Counts of what happened, zero until it does."""

    def __missing__(self, key: str) -> int:
        return 0


def check(study: Study, numbers: set[int], figures: Figures) -> None:
    """Open the ledger and look for what was acknowledged."""
    try:
        figures["lost"] += len(numbers - held(study))
        figures["torn"] += bool(verify(study).problems)
    except StudyError:
        figures["unopenable"] += 1
    figures["acknowledged"] += len(numbers)


def torture_kills(folder: Path, kills: int, writers: int, seed: int, figures: Figures) -> None:
    generator = random.Random(seed)
    for start in range(0, kills, KILLS_A_LEDGER):
        study = open_study(folder / f"kills{start}")
        numbers: set[int] = set()
        for round_number in range(start, min(start + KILLS_A_LEDGER, kills)):
            results = [made(f"P{writer}", 1 + 300 * (round_number - start), 300) for writer in range(writers)]
            numbers |= set(kill_writers(study, results, generator))
            figures["kills"] += writers
            with suppress(StudyError):
                figures["lost"] += len(numbers - held(study))
        check(study, numbers, figures)


def torture_disk(folder: Path, full_disks: int, figures: Figures) -> None:
    study = open_study(folder / "full")
    smallest = study.ledger.stat().st_size
    for step in range(full_disks):
        study = open_study(folder / f"full{step}")
        # Not a multiple of the page: the disk fills inside headers, frames and pages alike.
        numbers, code = fill_disk(study, made("P0", 1, 12), smallest // 2 + 509 * step)
        figures["full_disks"] += 1
        figures["unclear_errors"] += code not in (0, 3)
        check(study, set(numbers), figures)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="rounds; each kills every writer")
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--full-disks", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    figures = Figures(kills=0, full_disks=0, acknowledged=0, lost=0, torn=0, unopenable=0, unclear_errors=0)
    with tempfile.TemporaryDirectory() as folder:
        torture_kills(Path(folder), given.kills, given.writers, given.seed, figures)
        torture_disk(Path(folder), given.full_disks, figures)
    print(json.dumps(figures))
    return int(any(figures[name] for name in ("lost", "torn", "unopenable", "unclear_errors")))


if __name__ == "__main__":
    sys.exit(main())
