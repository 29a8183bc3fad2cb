"""Mutations of HEADER and TEXT, within bounds on time and memory: ``python -m fcs.fuzz 100000``.

Each case ends in an FcsError or in events. Events without a finding are what a strict reader gets, to the bit.
"""

from __future__ import annotations

import re
import signal
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from cytorecon.errors import FcsError, SpilloverError
from cytorecon.fcs import Events, data_sets, read_fcs
from fcs.cases import all_cases
from fcs.oracle import NotStrictError, read_strictly

SECONDS = 5
SPARE_BYTES = 64 << 20

BASES = sorted({case.content for case in all_cases() if 58 < len(case.content) < 1500})

TOKENS = (
    b"0", b"1", b"-1", b"2", b"8", b"16", b"24", b"32", b"64", b"1024", b"99999999", b"4294967296",
    b"9223372036854775808", b"1e308", b"nan", b"inf", b" ", b"", b"//", b"/", b"$", b"\0", b"\xff", b"\xc3\xa9",
    b"I", b"F", b"D", b"A", b"1,2,3,4", b"4,3,2,1", b"3,4,1,2", b"1,2", b"4,1", b"4,0", b"/$P1G/10/", b"/$P2E/4,1/",
    b"/$P1B/16/", b"/$P1DATATYPE/I/", b"Time", b"$TIMESTEP/0.1/", b"$NEXTDATA", b"$BEGINSTEXT", b"$PAR", b"$TOT",
    b"FCS3.2    ", b"FCS3.1    ",
)  # fmt: skip


def mutate(content: bytes, random: Random) -> bytes:
    """One to four mutations; most leave the rest of the file in its place, so that they get past HEADER."""
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        content = random.choice(MUTATIONS)(content, random)
    return content


def somewhere(content: bytes, random: Random) -> int:
    """A place in HEADER (one in six) or behind it."""
    return random.randrange(58) if random.random() < 1 / 6 else random.randrange(58, max(59, len(content)))


def flip_bit(content: bytes, random: Random) -> bytes:
    at = somewhere(content, random)
    return content[:at] + bytes(byte ^ 1 << random.randrange(8) for byte in content[at : at + 1]) + content[at + 1 :]


def overwrite(content: bytes, random: Random) -> bytes:
    at, token = somewhere(content, random), random.choice(TOKENS)
    return content[:at] + token + content[at + len(token) :]


def swap_case(content: bytes, random: Random) -> bytes:
    at = somewhere(content, random)
    return content[:at] + content[at : at + 8].swapcase() + content[at + 8 :]


def other_number(content: bytes, random: Random) -> bytes:
    """Put a token in place of a number, padded to its length where it is shorter."""
    begin = somewhere(content, random)
    while begin < len(content) and not content[begin : begin + 1].isdigit():
        begin += 1
    end = begin
    while content[end : end + 1].isdigit():
        end += 1
    old = content[begin:end]
    token = (
        random.choice(TOKENS) if random.random() < 0.5 or not old else str(int(old) + random.randint(-2, 2)).encode()
    )
    return content[:begin] + token.rjust(end - begin, b"0") + content[end:]


def insert(content: bytes, random: Random) -> bytes:
    at = somewhere(content, random)
    return content[:at] + random.choice(TOKENS) + content[at:]


def insert_and_mend(content: bytes, random: Random) -> bytes:
    """Insert a token in TEXT and move all offsets behind it, in HEADER and where TEXT has 12 digits."""
    at, token = random.randrange(58, max(59, len(content))), random.choice(TOKENS)

    def moved(match: re.Match[bytes]) -> bytes:
        place = int(match[0])
        return str(place + len(token) * (place >= at)).encode().rjust(len(match[0]), match[0][:1])

    head = re.sub(rb" +[1-9][0-9]*", moved, content[10:42])
    body = re.sub(rb"0000[0-9]{8}", moved, content[58:at] + token + content[at:])
    return content[:10] + head + content[42:58] + body


def delete(content: bytes, random: Random) -> bytes:
    at = somewhere(content, random)
    return content[:at] + content[at + random.randint(1, 12) :]


def repeat(content: bytes, random: Random) -> bytes:
    at = somewhere(content, random)
    return content[:at] + content[at : at + random.randint(1, 40)] + content[at:]


def cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(max(1, len(content)))]


MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    flip_bit,
    flip_bit,
    overwrite,
    overwrite,
    swap_case,
    other_number,
    other_number,
    other_number,
    insert,
    insert_and_mend,
    insert_and_mend,
    insert_and_mend,
    delete,
    repeat,
    cut,
)


@contextmanager
def bounds(size: int) -> Iterator[None]:
    """Fail on more than 5 seconds, or more than 64 MiB beside 4 times the file."""

    def late(*_: object) -> None:
        raise TimeoutError(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    tracemalloc.start()  # for this case alone: tracing everything else would cost five times as much
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert peak <= 4 * size + SPARE_BYTES, f"{peak} bytes for a file of {size}"


def check(content: bytes, path: Path) -> str:
    """Read a file every public way; returns ``exact``, ``findings`` or the code of the error."""
    path.write_bytes(content)
    with bounds(len(content)):
        try:
            data_sets(path)
            events = read_fcs(path)
            values = events.array()
            events.raw()
            for _ in events.blocks(2, out=np.empty((2, len(events.channels)), np.float32), digest=True):
                pass
            spillover(events)
        except FcsError as error:
            return error.code or "error without a code"
    if events.findings:
        return "findings"
    try:
        expected = read_strictly(content)
    except (NotStrictError, KeyError, ValueError) as error:
        raise AssertionError(f"read without a finding, though a strict reader refuses: {error!r}") from error
    assert expected.tobytes() == values.tobytes() or np.array_equal(expected, values, equal_nan=True)
    return "exact"


def spillover(events: Events) -> None:
    try:
        events.spillover()
    except SpilloverError:
        return


def run(examples: int, *, fixed: bool) -> dict[str, int]:
    """Check ``examples`` mutations; returns how they ended."""
    endings: dict[str, int] = {}
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        path = Path(folder) / "tube.fcs"

        @settings(
            max_examples=examples,
            derandomize=fixed,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(random=st.randoms(use_true_random=True))
        def one(random: Random) -> None:
            content = mutate(random.choice(BASES), random)
            note(repr(content))
            ending = check(content, path)
            assert ending != "error without a code"
            endings[ending] = endings.get(ending, 0) + 1

        one()
    return endings


if __name__ == "__main__":
    results = run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, fixed=False)
    for ending, times in sorted(results.items(), key=lambda item: -item[1]):
        print(f"{times:8d}  {ending}")
    print(f"{sum(results.values()):8d}  mutations, none outside the three endings")
