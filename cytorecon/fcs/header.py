"""HEADER: the version and the places of the segments."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cytorecon.errors import FcsError, Finding
from cytorecon.fcs.findings import finding, refusal

VERSIONS = {b"FCS2.0": "2.0", b"FCS3.0": "3.0", b"FCS3.1": "3.1", b"FCS3.2": "3.2"}
HEADER_SIZE = 58

_FIELD = re.compile(rb" *([0-9]*) *")
_SIGNED = re.compile(rb" *(-?[0-9]+)? *")


@dataclass(frozen=True)
class Source:
    """An open file, its size, and the state that tells whether it has been changed since."""

    path: Path
    file: BinaryIO
    size: int
    modified: int

    @property
    def name(self) -> str:
        """The file name as errors quote it."""
        return self.path.name

    def read(self, begin: int, size: int) -> bytes:
        """At most ``size`` bytes from ``begin``."""
        self.file.seek(begin)
        return self.file.read(size)


@dataclass(frozen=True)
class Segment:
    """A segment's first and last byte as written, counted from the beginning of its data set."""

    begin: int
    end: int

    @property
    def size(self) -> int:
        """Bytes, both ends included."""
        return self.end - self.begin + 1

    def overlaps(self, other: Segment) -> bool:
        """Whether a byte belongs to both; an empty segment overlaps nothing."""
        return self.begin <= other.end and other.begin <= self.end and min(self.size, other.size) > 0


@dataclass(frozen=True)
class Header:
    """What HEADER says: ``data`` and ``analysis`` are None where it names none."""

    version: str
    text: Segment
    data: Segment | None
    analysis: Segment | None
    findings: tuple[Finding, ...]


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file for reading; an FcsError with code ``file-unreadable`` if that is impossible."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise refusal("file-unreadable", path.name, expected="a file", got="a folder or device")
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise refusal("file-unreadable", path.name, got=str(error.strerror)) from error
    with file:
        state = os.fstat(file.fileno())
        yield Source(path, file, state.st_size, state.st_mtime_ns)


def read_header(source: Source, offset: int = 0) -> Header:
    """Parse the 58 bytes at ``offset``.

    Raises
    ------
    FcsError
        If they are not the HEADER of FCS 2.0, 3.0, 3.1 or 3.2, or place TEXT outside the file.
    """
    block = source.read(offset, HEADER_SIZE)
    version = _version(source.name, block)
    if len(block) < HEADER_SIZE:
        raise refusal("file-short", source.name, expected=f"{HEADER_SIZE} bytes", got=f"{len(block)} bytes")
    if block[6:10] != b"    ":
        raise refusal("header-malformed", source.name, "HEADER bytes 6 to 9", expected="4 blanks")
    text = _segment(source.name, block, 10, "TEXT")
    data = _segment(source.name, block, 26, "DATA")
    analysis, findings = _analysis(source.name, block, source.size - offset)
    if text is None or text.begin < HEADER_SIZE or text.size < 1 or text.end >= source.size - offset:
        raise refusal(
            "header-text",
            source.name,
            "HEADER bytes 10 to 25",
            expected=f"TEXT from byte {HEADER_SIZE} on, within the {source.size - offset} bytes there are",
            got="none" if text is None else f"{text.begin} to {text.end}",
            remedy="The file is cut off or not FCS; export it again.",
        )
    return Header(version, text, data, analysis, findings)


def _version(name: str, block: bytes) -> str:
    if not block:
        raise refusal("file-empty", name, remedy="Export it again.")
    if block[:2] == b"\x1f\x8b":
        raise refusal("file-gzip", name, got="gzip", remedy="Decompress it with gunzip first.")
    if block[:4] == b"PK\x03\x04":
        raise refusal("file-gzip", name, got="zip", remedy="Unpack it first.")
    if not block.startswith(b"FCS"):
        raise refusal("file-not-fcs", name, expected="a file that begins with FCS2.0, FCS3.0, FCS3.1 or FCS3.2")
    if len(block) >= 6 and block[:6] not in VERSIONS:
        got = block[:6].decode("ascii", "replace")
        raise refusal("version-unknown", name, expected="2.0, 3.0, 3.1 or 3.2", got=repr(got))
    return VERSIONS.get(block[:6], "")


def _segment(name: str, block: bytes, at: int, segment: str) -> Segment | None:
    """The two offsets at ``at``; None where both are blank or 0."""
    ends = [_FIELD.fullmatch(block[begin : begin + 8]) for begin in (at, at + 8)]
    if ends[0] is None or ends[1] is None:
        raise _malformed(name, block, at, segment)
    begin, end = (int(match[1] or 0) for match in ends if match)
    return Segment(begin, end) if begin or end else None


def _analysis(name: str, block: bytes, size: int) -> tuple[Segment | None, tuple[Finding, ...]]:
    """ANALYSIS holds no events, so numbers that cannot be its place (``0,-1``) are a finding, not an error."""
    fields = [_SIGNED.fullmatch(block[begin : begin + 8]) for begin in (42, 50)]
    if fields[0] is None or fields[1] is None:
        raise _malformed(name, block, 42, "ANALYSIS")
    ends = [int(match[1]) if match and match[1] else None for match in fields]
    if ends == [0, 0]:
        return None, ()
    if ends[0] is not None and ends[1] is not None and HEADER_SIZE <= ends[0] <= ends[1] < size:
        return Segment(ends[0], ends[1]), ()
    return None, (finding("analysis-unusable", "HEADER"),)


def _malformed(name: str, block: bytes, at: int, segment: str) -> FcsError:
    return refusal(
        "header-malformed",
        name,
        f"HEADER bytes {at} to {at + 15} ({segment})",
        expected="digits and blanks",
        got=repr(block[at : at + 16].decode("ascii", "replace")),
    )
