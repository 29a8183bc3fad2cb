"""Wherever flowio reads a file too, stored values are its, bit for bit, unless flowio is known to be wrong."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import flowio
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytorecon.errors import FcsError
from cytorecon.fcs import data_sets, read_fcs
from fcs.files import channel, make
from fcs.test_real import real_files

# Known to be wrong (fcs.md): flowio masks integers byte by byte, by $PnR − 1, which is a mask for powers of two
# only, and by remainder where widths differ.


def flowio_values(path: Path, offset: int | None = None) -> NDArray[Any] | None:
    """Stored values as flowio reads them, or None where it does not."""
    try:
        # A handle of our own: flowio leaves its open when it gives up.
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            data = flowio.FlowData(file, nextdata_offset=offset, ignore_offset_error=True)
        return np.reshape(np.array(data.events), (-1, data.channel_count))
    except Exception:
        return None


def test_raw__equals_flowio_on_real_files(shared: Path) -> None:
    """Ordinary and hard files: the same stored values wherever both read them."""
    compared = 0
    for path in real_files(shared):
        try:
            summaries = data_sets(path)
        except FcsError:
            continue
        for summary in summaries:
            if summary.events is None:
                continue
            theirs = flowio_values(path, summary.events.data.offset)
            if theirs is None or theirs.size == 0:
                continue
            ours = summary.events.raw()
            assert ours.shape == theirs.shape, path.name
            np.testing.assert_array_equal(ours.astype(np.float64), theirs.astype(np.float64), err_msg=path.name)
            compared += 1
    assert compared >= 35


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """An ordinary file of one type, of either byte order."""
    columns, events = draw(st.integers(1, 5)), draw(st.integers(1, 9))
    code = draw(st.sampled_from(["f4", "f8", "u1", "u2", "u4"]))
    order = draw(st.sampled_from("<>"))
    size = int(code[1]) * columns * events
    rows = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), order + code).reshape(events, columns)
    bits = str(8 * int(code[1]))
    datatype = {"f4": "F", "f8": "D"}.get(code, "I")
    keywords: dict[str, str | None] = {"$DATATYPE": datatype, "$BYTEORD": "1,2,3,4" if order == "<" else "4,3,2,1"}
    label = st.text("abcXYZ 0123-|", min_size=1, max_size=8).map(lambda text: "N" + text)
    for number in range(1, columns + 1):
        keywords |= channel(number, B=bits, R=str(2 ** int(bits)), N=f"{number}{draw(label)}")
    version = draw(st.sampled_from(["2.0", "3.0", "3.1"]))
    return make(keywords, rows, version=version, delimiter=draw(st.sampled_from([b"/", b"!", b"\x0c"])))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(content=files())
def test_raw__equals_flowio_on_written_files(content: bytes, tmp_path: Path) -> None:
    """Files of every plain type and byte order: the same bytes become the same stored values and names."""
    path = tmp_path / "tube.fcs"
    path.write_bytes(content)
    events = read_fcs(path)
    theirs = flowio.FlowData(path)
    expected = np.reshape(np.array(theirs.events), (-1, theirs.channel_count))
    assert expected.astype(np.float64).tobytes() == events.raw().astype(np.float64).tobytes()
    assert theirs.pnn_labels == [channel.name for channel in events.channels]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(values=st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=20))
def test_read_fcs__reads_back_what_flowio_writes(values: list[float], tmp_path: Path) -> None:
    """Writing with flowio and reading here is the identity."""
    rows = np.array(values[: len(values) // 2 * 2], np.float32)
    path = tmp_path / "tube.fcs"
    with path.open("wb") as file:
        flowio.create_fcs(file, rows.tolist(), ["A", "B"])
    assert rows.reshape(-1, 2).tobytes() == read_fcs(path).raw().tobytes()
