"""The one pass over the bytes of DATA: read, decoded and, where asked for, digested beside."""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytorecon.errors import Finding
from cytorecon.fcs.dataset import DataSet
from cytorecon.fcs.decode import BIG, LITTLE, Bytes, decode_rows, native_matrix
from cytorecon.fcs.findings import finding, refusal
from cytorecon.fcs.header import Source

Array = NDArray[Any]

_CHUNK = 1 << 18


def read_rows(
    source: Source,
    data: DataSet,
    columns: Sequence[int],
    rows: int,
    target: Callable[[int, int], Array],
    look: Callable[[Sequence[int], Array], None],
    dropped: dict[int, int],
    digest: Digest | None = None,
) -> Iterator[Array]:
    """Stored values of all rows, ``rows`` at a time.

    Parameters
    ----------
    source, data
        The open file and the data set.
    columns, rows
        Columns wanted and the most rows a block.
    target
        Gives the array (event, column) to write to, for a first row and a number of rows.
    look
        Called with numbers of columns and their stored values, where these are converted at all.
    dropped
        Column -> values of which its mask took something; added to.
    digest
        Fed with every byte of the file, in order.
    """
    size = data.layout.row_size
    if digest:
        digest.skip_to(data.begin)
    scratch: list[Bytes] = []
    source.file.seek(data.begin)
    for first in range(0, data.event_count, rows):
        block = target(first, min(rows, data.event_count - first))
        if digest is None and _is_stored_form(data, columns, block):
            fill(source, block.view(np.uint8).reshape(-1))
            native_matrix(data.layout, block.view(np.uint8).reshape(-1))
        else:
            if not scratch:
                scratch.append(np.empty(rows * size, np.uint8))
            raw = scratch[0][: len(block) * size]
            fill(source, raw)
            if digest:
                digest.feed(raw)
            decode_rows(data.layout, raw, columns, block, look, dropped)
        yield block
    if digest:
        digest.skip_to(source.size)


def _is_stored_form(data: DataSet, columns: Sequence[int], block: Array) -> bool:
    """Whether the bytes can be read straight into the block, because swapping is all they may need."""
    layout = data.layout
    return (
        layout.uniform
        and block.dtype == layout.columns[0].dtype
        and block.flags.c_contiguous
        and layout.columns[0].size != 3
        and layout.order in (LITTLE, BIG)
        and layout.masks is None
        and list(columns) == list(range(len(layout.columns)))
    )


def fill(source: Source, buffer: Bytes) -> None:
    """Read exactly as many bytes as the buffer holds."""
    view = buffer.data
    while len(view):
        # RawIOBase.readinto; typed as BinaryIO, which does not name it.
        count = source.file.readinto(view)  # type: ignore[attr-defined]
        if not count:
            raise refusal("file-changed", source.name, expected=f"{source.size} bytes")
        view = view[count:]


class Digest:
    """SHA-256 of the whole file, and the CRC of one data set, in a thread beside the reader.

    Bytes are copied to one of two buffers, so that the reader may go on while the last block is hashed.
    """

    def __init__(self, source: Source, data: DataSet) -> None:
        self._source, self._data = source, data
        self._sha = hashlib.sha256()
        self._stated = source.read(data.end, 8)
        self._crcs = [0x0000, 0xFFFF] if _stated_crc(self._stated) else []
        self._position = 0
        self._hashed = 0
        self._buffers: list[Bytes] = [np.empty(0, np.uint8), np.empty(0, np.uint8)]
        self._pending: list[Future[None] | None] = [None, None]
        self._executor = ThreadPoolExecutor(1)

    def __enter__(self) -> Digest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(cancel_futures=True)

    def feed(self, raw: Bytes) -> None:
        """Take the next bytes of the file; they may be overwritten afterwards."""
        pending = self._pending[0]
        if pending:
            pending.result()
        buffer = self._buffers[0] if len(self._buffers[0]) >= len(raw) else np.empty(len(raw), np.uint8)
        buffer[: len(raw)] = raw
        future = self._executor.submit(self._update, buffer[: len(raw)])
        self._buffers = [self._buffers[1], buffer]
        self._pending = [self._pending[1], future]
        self._position += len(raw)

    def skip_to(self, position: int) -> None:
        """Take the bytes up to a place that the reader itself does not need."""
        buffer = np.empty(_CHUNK, np.uint8)
        self._source.file.seek(self._position)
        while self._position < position:
            part = buffer[: min(_CHUNK, position - self._position)]
            fill(self._source, part)
            self.feed(part)
        self._source.file.seek(position)

    def finish(self) -> tuple[str, tuple[Finding, ...]]:
        """The SHA-256 of the file in hex, and a finding if its CRC is not that of the bytes."""
        self._executor.submit(lambda: None).result()
        stated = _stated_crc(self._stated)
        findings = (finding("crc-mismatch", "CRC"),) if stated and not stated & set(self._crcs) else ()
        return self._sha.hexdigest(), findings

    def _update(self, part: Bytes) -> None:
        self._sha.update(part.data)
        if self._crcs:
            # binascii.crc_hqx is the CCITT polynomial; writers differ in whether it starts at 0 or all ones.
            begin, end = self._data.offset - self._hashed, self._data.end - self._hashed
            covered = part[max(0, begin) : max(0, end)]
            self._crcs = [binascii.crc_hqx(covered.data, crc) for crc in self._crcs]
        self._hashed += len(part)


def _stated_crc(text: bytes) -> set[int]:
    """What eight ASCII bytes may mean as a CRC, in decimal or hexadecimal; empty if they state none."""
    digits = text.strip(b" \0\r\n")
    if len(text) < 8 or not digits or set(digits) - set(b"0123456789abcdefABCDEF") or not digits.strip(b"0"):
        return set()
    readings = {int(digits, 16)}
    return readings | {int(digits)} if digits.isdigit() else readings
