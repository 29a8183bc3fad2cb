"""Events of one data set: what is known at once, and the values on demand, block by block."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from cytorecon.compensation import Spillover, spillover_from_text
from cytorecon.errors import Finding
from cytorecon.fcs.blocks import Digest, read_rows
from cytorecon.fcs.dataset import SPILLOVER_KEYWORDS, DataSet
from cytorecon.fcs.decode import refuse_rounding, scale_column
from cytorecon.fcs.findings import finding, refusal
from cytorecon.fcs.header import Source, open_source
from cytorecon.fcs.parameters import Channel

Values = NDArray[np.float64]
Array = NDArray[Any]

_BLOCK_BYTES = 1 << 18


@dataclass(frozen=True)
class Acquisition:
    """Where and when a data set was acquired, as written; empty where the file does not say."""

    instrument: str
    serial: str
    date: str
    begin: str
    end: str


@dataclass(frozen=True, eq=False)
class Events:
    """The events of one data set of an FCS file, as `read_fcs` returns them.

    Nothing is decoded until values are asked for, and then never more than a block beside the result.

    Parameters
    ----------
    path, dataset
        The file, and which of its data sets (from 1).
    version
        ``2.0``, ``3.0``, ``3.1`` or ``3.2``.
    event_count, channels
        Number of events, and a `Channel` for each column.
    keywords
        Every keyword of TEXT, upper case with its ``$``. Some name a patient: show, log and store only
        `public_keywords`.
    """

    path: Path
    dataset: int
    version: str
    event_count: int
    channels: tuple[Channel, ...]
    keywords: Mapping[str, str] = field(repr=False)
    data: DataSet = field(repr=False)
    size: int = field(repr=False)
    modified: int = field(repr=False)
    file_findings: tuple[Finding, ...] = field(repr=False)
    # What only decoding can tell: filled by passes over the values, by code and place.
    _observed: dict[tuple[str, str], Finding] = field(default_factory=dict, repr=False)
    _digests: list[str] = field(default_factory=list, repr=False)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every deviation that was accepted. NaN, infinities, masked bits and the CRC show after a pass over values."""
        return self.file_findings + tuple(self._observed.values())

    @property
    def acquisition(self) -> Acquisition:
        """Instrument, date and times."""
        keywords = ("$CYT", "$CYTSN", "$DATE", "$BTIM", "$ETIM")
        return Acquisition(*(self.keywords.get(keyword, "").strip() for keyword in keywords))

    @property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, in hex; a pass of its own unless ``blocks(digest=True)`` went before."""
        if not self._digests:
            with self._open() as source:
                digest = hashlib.sha256()
                while chunk := source.file.read(_BLOCK_BYTES):
                    digest.update(chunk)
            self._digests.append(digest.hexdigest())
        return self._digests[0]

    @property
    def stored_dtype(self) -> np.dtype[Any]:
        """The type of ``raw()``: the narrowest that holds every stored value."""
        return self.data.layout.dtype

    @property
    def is_float32_exact(self) -> bool:
        """Whether float32 blocks hold every stored value exactly (32-bit floats, integers up to 24 bits)."""
        return self.data.layout.is_float32_exact

    def spillover(self) -> Spillover | None:
        """The spillover matrix that the file states, or None.

        Raises
        ------
        SpilloverError
            If the file states a matrix that cannot be used.
        """
        names = [channel.name for channel in self.channels]
        markers = [channel.marker for channel in self.channels]
        for keyword in SPILLOVER_KEYWORDS:
            if self.keywords.get(keyword, "").strip():
                return spillover_from_text(self.keywords[keyword], names, markers, keyword)
        return None

    def array(self, dtype: DTypeLike = np.float64) -> Array:
        """Linear values (event, channel): gain, logarithmic amplification and time step applied.

        Parameters
        ----------
        dtype
            float64; or float32, which rounds each of those values once and takes half the memory and time.

        Raises
        ------
        FcsError
            If the file has changed, or an integer above 2^53 has no exact float64.
        ValueError
            Any other type.
        """
        if np.dtype(dtype) not in (np.float64, np.float32):
            raise ValueError(f"dtype {np.dtype(dtype)}; expected float64 or float32")
        return self._filled(dtype, linear=True)

    def raw(self) -> Array:
        """Stored values (event, channel) in `stored_dtype`, masked as ``$PnR`` says, otherwise untouched."""
        return self._filled(self.stored_dtype, linear=False)

    def blocks(
        self,
        rows: int = 16384,
        columns: Sequence[int] | None = None,
        *,
        out: Array | None = None,
        linear: bool = True,
        digest: bool = False,
    ) -> Iterator[Array]:
        """Values a block at a time, each a view of one buffer that the next block overwrites.

        Parameters
        ----------
        rows
            Most events a block; at most ``len(out)``.
        columns
            Columns wanted, in this order; all by default.
        out
            Buffer (event, column) to decode into: float64 for the values of `array`, bit for bit; float32 for
            those values rounded once, at half the memory; `stored_dtype` only with ``linear=False``.
        linear
            False gives stored values. In float32 they are exact where `is_float32_exact`, and `to_linear` turns
            any of them into the values of `array`.
        digest
            Compute SHA-256 (and compare the CRC) in a thread beside this pass. It counts once the last block is
            taken.

        Yields
        ------
        block
            Array (event, column).
        """
        chosen = self._chosen(columns)
        dtype = np.float64 if linear else self.stored_dtype
        rows = max(1, rows if out is None else min(rows, len(out)))
        buffer = np.empty((min(rows, max(1, self.event_count)), len(chosen)), dtype) if out is None else out
        if buffer.ndim != 2 or buffer.shape[1] != len(chosen) or not len(buffer):
            raise ValueError(f"out has shape {buffer.shape}; expected (rows, {len(chosen)})")
        if buffer.dtype not in (np.float32, np.float64) and (linear or buffer.dtype != self.stored_dtype):
            raise ValueError(f"out holds {buffer.dtype}; expected float32, float64 or the stored type, linear=False")
        yield from self._pass(chosen, rows, buffer.dtype, lambda _, count: buffer[:count], linear, digest)

    def to_linear(self, stored: ArrayLike, columns: Sequence[int] | None = None) -> Values:
        """Linear float64 values of stored ones: those of `array`, bit for bit, where the stored ones are exact.

        Parameters
        ----------
        stored
            Stored values (event, column).
        columns
            The column each is from; all by default.
        """
        with np.errstate(invalid="ignore"):  # a signalling NaN among the stored values
            values = np.array(stored, dtype=np.float64)
        _scale(values, self._scaled(self._chosen(columns)))
        return values

    def _chosen(self, columns: Sequence[int] | None) -> list[int]:
        chosen = list(range(len(self.channels))) if columns is None else [int(column) for column in columns]
        if any(not 0 <= column < len(self.channels) for column in chosen):
            raise ValueError(f"columns {chosen}; expected 0 to {len(self.channels) - 1}")
        return chosen

    def _filled(self, dtype: DTypeLike, linear: bool) -> Array:
        values = np.empty((self.event_count, len(self.channels)), dtype)
        rows = max(1, _BLOCK_BYTES // self.data.layout.row_size)
        chosen = self._chosen(None)
        for _ in self._pass(chosen, rows, values.dtype, lambda first, count: values[first : first + count], linear):
            pass
        return values

    def _pass(
        self,
        columns: list[int],
        rows: int,
        dtype: np.dtype[Any],
        target: Callable[[int, int], Array],
        linear: bool,
        digest: bool = False,
    ) -> Iterator[Array]:
        unusual: dict[int, int] = {}
        dropped: dict[int, int] = {}
        scaled = self._scaled(columns) if linear else []
        # Where nothing can overflow on the way, 32-bit floats are looked at before they double in size.
        is_early = dtype == np.float64 and self.data.layout.is_single

        def look(numbers: Sequence[int], stored: Array) -> None:
            if stored.dtype == np.uint64 and dtype.kind == "f":
                for place, column in enumerate(numbers):
                    refuse_rounding(self.path.name, self.channels[column], stored[:, place])
            elif is_early and stored.dtype.kind == "f":
                _count_unusual(stored, numbers, unusual)

        with self._open() as source, Digest(source, self.data) if digest else nullcontext() as beside:
            for block in read_rows(source, self.data, columns, rows, target, look, dropped, beside):
                _scale(block, scaled)
                if not is_early and dtype.kind == "f" and not self.data.layout.is_integer:
                    _count_unusual(block, columns, unusual)
                yield block
            if beside:
                sha256, findings = beside.finish()
                self._digests[:] = [sha256]
                self._observe(findings)
        self._observe(
            finding(code, self.channels[column].name, f"{count} of {self.event_count} events")
            for code, counts in (("values-not-finite", unusual), ("mask-drops-bits", dropped))
            for column, count in counts.items()
        )

    def _scaled(self, columns: list[int]) -> list[tuple[int, Channel, int]]:
        """Place, channel and significant bits of the columns whose linear values are not the stored ones."""
        layout = self.data.layout
        return [
            (place, self.channels[column], layout.columns[column].bits)
            for place, column in enumerate(columns)
            if self.channels[column].is_scaled
        ]

    def _observe(self, findings: Iterable[Finding]) -> None:
        self._observed.update({(found.code, found.where): found for found in findings})

    @contextmanager
    def _open(self) -> Iterator[Source]:
        with open_source(self.path) as source:
            if (source.size, source.modified) != (self.size, self.modified):
                raise refusal("file-changed", source.name, remedy="Read it again when nothing writes to it.")
            yield source


def _scale(values: Array, scaled: list[tuple[int, Channel, int]]) -> None:
    with np.errstate(all="ignore"):
        for place, channel, bits in scaled:
            scale_column(channel, values[:, place], bits)


def _count_unusual(block: Array, columns: Sequence[int], unusual: dict[int, int]) -> None:
    """Add each column's NaN and infinite values to ``unusual``."""
    # The sum of squares is the quickest look; it is not finite either where large values overflow.
    flat = block.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.dot(flat, flat)):
            return
    for place, column in enumerate(columns):
        count = int(np.count_nonzero(~np.isfinite(block[:, place])))
        if count:
            unusual[column] = unusual.get(column, 0) + count
