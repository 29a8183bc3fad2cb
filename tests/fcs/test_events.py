"""Values on demand: whole, raw, in blocks, scaled, digested; and what surrounds them."""

from __future__ import annotations

import hashlib
import os
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytorecon.errors import FcsError, SpilloverError
from cytorecon.fcs import Events, read_fcs
from fcs.files import FLOATS, INTEGERS, channel, make, of_type, segment


def opened(folder: Path, content: bytes) -> Events:
    path = folder / "tube.fcs"
    path.write_bytes(content)
    return read_fcs(path)


def many(count: int = 1000, columns: int = 3, code: str = "<f4") -> np.ndarray[Any, Any]:
    values = np.arange(count * columns).reshape(count, columns)
    return (values * 7919 % 65521).astype(code)


SCALED = of_type("I", "16", "1024", 3) | {"$P1E": "4,1", "$P2G": "8", "$P3N": "Time", "$TIMESTEP": "0.01"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.integers(1, 1200), columns=st.lists(st.integers(0, 2), min_size=1, max_size=4))
def test_blocks__give_what_array_gives(rows: int, columns: list[int], tmp_path: Path) -> None:
    """Any block size and choice of columns: the bits of ``array()``."""
    for content in (
        make(SCALED, many(code="<u2")),
        make({}, many(code="<f4")),
        make({"$BYTEORD": "4,3,2,1"}, many(code=">f4")),
    ):
        events = opened(tmp_path, content)
        blocks = [block.copy() for block in events.blocks(rows, columns)]
        assert max(map(len, blocks)) <= rows
        assert events.array()[:, columns].tobytes() == np.concatenate(blocks).tobytes()


@pytest.mark.parametrize("digest", [False, True])
@pytest.mark.parametrize("byteord", ["1,2,3,4", "4,3,2,1"])
def test_blocks__reuse_one_float32_buffer(digest: bool, byteord: str, tmp_path: Path) -> None:
    """Every block is a view of the caller's buffer and holds the stored float32 values."""
    values = many(code="<f4" if byteord == "1,2,3,4" else ">f4")
    events = opened(tmp_path, make({"$BYTEORD": byteord}, values))
    out = np.empty((64, 3), np.float32)
    seen = []
    for block in events.blocks(out=out, digest=digest):
        assert np.shares_memory(block, out)
        seen.append(block.copy())
        block[...] = -1  # what the caller does to its buffer reaches neither the digest nor the next block
    assert values.astype("f4").tobytes() == np.concatenate(seen).tobytes()
    assert hashlib.sha256(events.path.read_bytes()).hexdigest() == events.sha256


def test_blocks__float32_is_array_rounded_once(tmp_path: Path) -> None:
    """Linear float32 values are the float64 ones rounded to nearest."""
    events = opened(tmp_path, make(SCALED, many(code="<u2")))
    blocks = [block.copy() for block in events.blocks(out=np.empty((100, 3), np.float32))]
    assert events.array().astype(np.float32).tobytes() == np.concatenate(blocks).tobytes()


def test_to_linear__gives_the_bits_of_array(tmp_path: Path) -> None:
    """Stored float32 rows and columns, scaled afterwards, are the float64 values of ``array()``."""
    events = opened(tmp_path, make(SCALED, many(code="<u2")))
    assert events.is_float32_exact
    (block,) = events.blocks(1000, out=np.empty((1000, 3), np.float32), linear=False)
    rows = [5, 0, 999]
    assert events.array()[rows].tobytes() == events.to_linear(block[rows]).tobytes()
    assert events.array()[rows][:, [2, 0]].tobytes() == events.to_linear(block[rows][:, [2, 0]], [2, 0]).tobytes()


def test_blocks__stored_type(tmp_path: Path) -> None:
    """Without scaling the stored type comes back, masked and otherwise untouched."""
    events = opened(tmp_path, make(SCALED, many(code="<u2")))
    (block,) = events.blocks(1000, linear=False)
    assert block.dtype == np.uint16
    assert (many(code="<u2") & 1023).tobytes() == block.tobytes()


def test_raw__keeps_integers_above_2_53(tmp_path: Path) -> None:
    """Stored integers are never rounded; ``array()`` says which channel cannot be a float64."""
    giant = np.array([[2**53 + 1, 2**64 - 1]], "<u8")
    events = opened(tmp_path, make(of_type("I", "64", str(2**64)), giant))
    assert giant.tobytes() == events.raw().tobytes()
    with pytest.raises(FcsError, match=r"\$P1N: an integer above 2\^53 has no exact float64.*raw\(\)"):
        events.array()


def test_raw__of_mixed_types(tmp_path: Path) -> None:
    """Integers of mixed widths take the widest; integers beside floats take float64."""
    mixed = of_type("I", "16", "65536") | channel(2, B="32", R=str(2**32))
    events = opened(tmp_path, make(mixed, np.array([(1, 2**32 - 1)] * 3, "<u2,<u4").tobytes()))
    assert (np.uint32, False) == (events.raw().dtype, events.is_float32_exact)
    mixed = of_type("F", "32", "1") | channel(1, B="16", R="65536", DATATYPE="I")
    content = make(mixed, np.array([(1, 0.5)] * 3, "<u2,<f4").tobytes(), version="3.2")
    assert np.float64 == opened(tmp_path, content).raw().dtype


def test_blocks__float64_beyond_float32_becomes_infinite_and_is_reported(tmp_path: Path) -> None:
    """A double that float32 cannot hold is never lost in silence."""
    events = opened(tmp_path, make(of_type("D", "64", "1"), np.array([[1e300, 1.0]] * 3)))
    (block,) = events.blocks(out=np.empty((3, 2), np.float32))
    assert np.isinf(block[:, 0]).all()
    assert ["values-not-finite"] == [found.code for found in events.findings]


def test_findings__count_events_that_are_not_finite(tmp_path: Path) -> None:
    """The finding names the channel and how many events."""
    values = many(5000)
    values[::10, 1] = np.nan
    events = opened(tmp_path, make({}, values))
    assert () == events.findings
    events.array()
    (found,) = events.findings
    assert ("C2", "warning") == (found.where, found.severity)
    assert "500 of 5000 events" in found.message


@pytest.mark.parametrize("columns", [[3], [-1], [0, 7]])
def test_blocks__refuse_columns_that_are_not_there(columns: list[int], tmp_path: Path) -> None:
    """Columns are counted from 0 and never from the end."""
    with pytest.raises(ValueError, match="expected 0 to 2"):
        next(opened(tmp_path, make({}, many())).blocks(10, columns))


@pytest.mark.parametrize("out", [np.empty((4, 2)), np.empty((0, 3)), np.empty(3)])
def test_blocks__refuse_a_buffer_of_another_shape(out: np.ndarray[Any, Any], tmp_path: Path) -> None:
    """The message says the shape that fits."""
    with pytest.raises(ValueError, match=r"expected \(rows, 3\)"):
        next(opened(tmp_path, make({}, many())).blocks(out=out))


@pytest.mark.parametrize("linear", [False, True])
def test_blocks__refuse_a_buffer_that_would_lose_values(linear: bool, tmp_path: Path) -> None:
    """Integers narrower than the stored ones, or any for linear values."""
    with pytest.raises(ValueError, match="expected float32, float64"):
        next(opened(tmp_path, make(SCALED, many(code="<u2"))).blocks(out=np.empty((4, 3), np.uint8), linear=linear))


def test_blocks__into_a_strided_buffer(tmp_path: Path) -> None:
    """A buffer that is a slice of another works too."""
    wide = np.empty((10, 6), np.float32)
    values = many(10)
    (block,) = opened(tmp_path, make({}, values)).blocks(out=wide[:, ::2])
    np.testing.assert_array_equal(values, block)


def test_blocks__need_no_more_than_a_block(tmp_path: Path) -> None:
    """A file of 24 MB goes through blocks of 48 kB in less than 2 MB."""
    events = opened(tmp_path, make({}, many(2_000_000)))
    tracemalloc.start()
    try:
        total = sum(len(block) for block in events.blocks(4096, digest=True))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert events.event_count == total
    assert peak < 2e6


def test_blocks__that_are_left_early_leave_nothing_open(tmp_path: Path) -> None:
    """Stopping after the first block closes the file and the thread; the digest is then computed apart."""
    events = opened(tmp_path, make({}, many()))
    blocks = events.blocks(10, digest=True)
    next(blocks)
    blocks.close()
    assert hashlib.sha256(events.path.read_bytes()).hexdigest() == events.sha256 == events.sha256


@pytest.mark.parametrize("change", [b"longer", b""])
def test_array__refuses_a_file_that_has_changed(change: bytes, tmp_path: Path) -> None:
    """Values are never taken from other bytes than HEADER and TEXT were."""
    events = opened(tmp_path, make())
    events.path.write_bytes(make() + change if change else make()[:-4])
    with pytest.raises(FcsError, match="has changed since its HEADER was read"):
        events.array()


def test_array__rounds_once_to_float32(tmp_path: Path) -> None:
    """Half the memory for the same values, each rounded once; any other type is refused."""
    events = opened(tmp_path, make())
    assert np.array_equal(events.array().astype(np.float32), events.array(np.float32), equal_nan=True)
    with pytest.raises(ValueError, match="expected float64 or float32"):
        events.array(np.int32)


def test_array__refuses_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    """A file cut off during a pass is an error, not a short array."""
    events = opened(tmp_path, make({}, many(100_000)))
    blocks = events.blocks(10)
    next(blocks)
    with events.path.open("r+b") as file:
        file.truncate(2000)
    with pytest.raises(FcsError, match="has changed"):
        list(blocks)


def test_read_fcs__missing_file_and_folder(tmp_path: Path) -> None:
    """What cannot be opened is an FcsError too."""
    with pytest.raises(FcsError, match=r"nothing\.fcs: the file cannot be opened; got No such file"):
        read_fcs(tmp_path / "nothing.fcs")
    with pytest.raises(FcsError, match="cannot be opened; expected a file, got a folder or device"):
        read_fcs(tmp_path)
    os.mkfifo(tmp_path / "pipe.fcs")
    with pytest.raises(FcsError, match="expected a file, got a folder or device"):
        read_fcs(tmp_path / "pipe.fcs")


def test_read_fcs__data_beyond_the_reach_of_header(tmp_path: Path) -> None:
    """Behind byte 99,999,999 HEADER holds 0 and TEXT alone places DATA: no deviation, and only DATA is read."""
    begin = 5_000_000_000
    content = make({"$BEGINDATA": str(begin), "$ENDDATA": str(begin + 23)}, header={"data": 0, "data_end": 0})
    path = tmp_path / "tube.fcs"
    with path.open("wb") as file:
        file.write(content[:-24])
        file.seek(begin)
        file.write(FLOATS.tobytes())
    events = read_fcs(path)
    assert FLOATS.astype(float).tobytes() == events.array().tobytes()
    assert () == events.findings


def test_read_fcs__large_text_in_little_memory(tmp_path: Path) -> None:
    """A TEXT of 32 MiB needs no more than four times that."""
    path = tmp_path / "tube.fcs"
    path.write_bytes(make({"BIG": "x" * (32 << 20)}))
    size = path.stat().st_size
    tracemalloc.start()
    try:
        read_fcs(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * size + (64 << 20)


def test_spillover__from_text_and_supplemental_text(tmp_path: Path) -> None:
    """The standard's keyword wins, wherever it stands; none is None."""
    matrix = "2,C1,C2,1,0.1,0.2,1"
    assert opened(tmp_path, make()).spillover() is None
    assert opened(tmp_path, make({"SPILL": " "})).spillover() is None
    content = make({"SPILL": "2,C1,C2,1,0,0,1"}, supplement=segment({"$SPILLOVER": matrix}))
    spillover = opened(tmp_path, content).spillover()
    assert spillover is not None
    assert ("$SPILLOVER", ("C1", "C2")) == (spillover.source, spillover.detectors)
    assert [[1, 0.1], [0.2, 1]] == spillover.matrix.tolist()


@pytest.mark.parametrize("bad", ["2,C1,C9,1,0,0,1", "2,C1,C2,nan,0,0,1", "2,C1,C2,1,1,1,1", "/etc/passwd", "0"])
def test_spillover__that_cannot_be_used_is_an_error_of_its_own(bad: str, tmp_path: Path) -> None:
    """The file opens and gives its events; only compensating fails."""
    events = opened(tmp_path, make({"$SPILLOVER": bad}))
    assert events.array().shape == FLOATS.shape
    with pytest.raises(SpilloverError, match=r"\$SPILLOVER"):
        events.spillover()


def test_events__show_acquisition_and_no_identifier(tmp_path: Path) -> None:
    """Instrument and times are facts of their own; the repr of events holds no keyword."""
    keywords = {"$CYT": "LSRII ", "$DATE": "01-JAN-2026", "$BTIM": "10:00:00", "$SRC": "Jane Roe", "$CYTSN": "7"}
    events = opened(tmp_path, make(keywords))
    facts = events.acquisition
    assert ("LSRII", "7", "01-JAN-2026", "10:00:00", "") == (
        facts.instrument,
        facts.serial,
        facts.date,
        facts.begin,
        facts.end,
    )
    assert "Jane" not in repr(events)


def test_events__travel_between_processes(tmp_path: Path) -> None:
    """Events can be pickled, and decode on the other side."""
    events = opened(tmp_path, make(of_type("I", "16", "1024"), INTEGERS))
    assert events.array().tobytes() == pickle.loads(pickle.dumps(events)).array().tobytes()


def test_findings__count_the_values_that_a_mask_changes(tmp_path: Path) -> None:
    """Each channel's own count, over all blocks, of the channels that were asked for."""
    rows = np.array([[1024, 1023], [1025, 7], [65535, 4096], [3, 1]], "<u2")
    events = opened(tmp_path, make(of_type("I", "16", "1024"), rows))
    for _ in events.blocks(3, [0]):
        pass
    assert [("mask-drops-bits", "C1")] == [(found.code, found.where) for found in events.findings]
    assert "3 of 4 events" in events.findings[0].message
    events.raw()
    assert ["3 of 4 events", "1 of 4 events"] == [
        found.message.split("(")[1].split(")")[0] for found in events.findings
    ]
