"""Bytes to numbers: the layout of a row, and values stored and linear."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytorecon.fcs.findings import refusal
from cytorecon.fcs.parameters import Channel

Array = NDArray[Any]
Bytes = NDArray[np.uint8]

LITTLE, BIG = (0, 1, 2, 3), (3, 2, 1, 0)
_NATIVE = LITTLE if sys.byteorder == "little" else BIG
_TABLE_BITS = 16


@dataclass(frozen=True)
class Column:
    """Where one value lies in a row: first byte, bytes, ``I``/``F``/``D``, bits that count (None: all)."""

    offset: int
    size: int
    datatype: str
    mask: int | None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native type of the stored value; 24 bits are widened to 32."""
        size = 4 if self.size == 3 else self.size
        return np.dtype(f"{'u' if self.datatype == 'I' else 'f'}{size}")

    @property
    def bits(self) -> int:
        """Bits that count."""
        return 8 * self.size if self.mask is None else self.mask.bit_length()


@dataclass(frozen=True)
class Layout:
    """Columns of a row, its bytes, and for each byte of a 4-byte field its significance (0: lowest)."""

    columns: tuple[Column, ...]
    row_size: int
    order: tuple[int, ...]

    @cached_property
    def uniform(self) -> bool:
        """Whether all columns have one size and type, so that a block is a matrix."""
        return len({(column.size, column.datatype) for column in self.columns}) == 1

    @cached_property
    def is_integer(self) -> bool:
        """Whether every column holds integers."""
        return all(column.datatype == "I" for column in self.columns)

    @cached_property
    def is_single(self) -> bool:
        """Whether no column is float64."""
        return all(column.datatype != "D" for column in self.columns)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The narrowest type that holds every stored value: integer only if all are; mixtures are float64."""
        dtypes = {column.dtype for column in self.columns}
        if len(dtypes) == 1 or all(dtype.kind == "u" for dtype in dtypes):
            return max(dtypes, key=lambda dtype: dtype.itemsize)
        return np.dtype(np.float64)

    @cached_property
    def is_float32_exact(self) -> bool:
        """Whether float32 holds every stored value exactly: 32-bit floats and integers of up to 24 bits."""
        return all(column.bits <= 24 or column.datatype == "F" for column in self.columns)

    @cached_property
    def masks(self) -> Array | None:
        """Bits that count: one number where all columns share it, else one a column; None where all count."""
        if all(column.mask is None for column in self.columns):
            return None
        dtype = self.columns[0].dtype
        everything = (1 << (8 * dtype.itemsize)) - 1
        masks = np.array([everything if column.mask is None else column.mask for column in self.columns], dtype)
        # A mask a column is broadcast along short rows, three times as dear as one number.
        return masks[0] if len(set(masks.tolist())) == 1 else masks


def make_layout(channels: Sequence[Channel], order: tuple[int, ...]) -> Layout:
    """The layout of rows that hold these channels one after another."""
    columns: list[Column] = []
    offset = 0
    for channel in channels:
        size = 2 if 9 <= channel.bits <= 15 else channel.bits // 8
        columns.append(Column(offset, size, channel.datatype, _mask(channel, 8 * size)))
        offset += size
    return Layout(tuple(columns), offset, order)


def _mask(channel: Channel, bits: int) -> int | None:
    """The mask of FCS 3.1 (doi:10.1002/cyto.a.20825): all bits below the power of two next to ``$PnR``."""
    if channel.datatype != "I" or channel.range == 0 or channel.range > 2 ** (bits - 1):
        return None
    return int(2 ** (math.ceil(channel.range) - 1).bit_length() - 1)


def decode_rows(
    layout: Layout,
    raw: Bytes,
    columns: Sequence[int],
    out: Array,
    look: Callable[[Sequence[int], Array], None],
    dropped: dict[int, int],
) -> None:
    """Write stored values of whole rows to ``out`` (event, column). ``raw`` is used as scratch space.

    Parameters
    ----------
    layout
        How rows are stored.
    raw
        Bytes of whole rows; contents are undefined afterwards.
    columns
        Columns wanted, in the order of ``out``.
    out
        Any type; a value it cannot hold is the caller's responsibility.
    look
        Called with numbers of columns and their stored values (event, column), before they are converted.
    dropped
        Column -> values of which its mask took something; added to.
    """
    if layout.order not in (LITTLE, BIG):
        raw = np.ascontiguousarray(raw.reshape(-1, 4)[:, np.argsort(layout.order)]).reshape(-1)
    if layout.uniform and layout.columns[0].size != 3:
        matrix = native_matrix(layout, raw)
        if layout.masks is not None:
            # One look at the whole block is far cheaper than one a column, and almost always enough.
            if matrix.max() > layout.masks.min():
                for number in columns:
                    _count_dropped(layout, number, matrix[:, number], dropped)
            np.bitwise_and(matrix, layout.masks, out=matrix)
        everything = list(columns) == list(range(len(layout.columns)))
        stored = matrix if everything else matrix[:, list(columns)]
        look(columns, stored)
        _write(stored, out)
        return
    rows = raw.reshape(-1, layout.row_size)
    for place, number in enumerate(columns):
        stored = _stored_column(layout, rows, layout.columns[number])
        mask = layout.columns[number].mask
        if mask is not None:
            _count_dropped(layout, number, stored, dropped)
            stored &= stored.dtype.type(mask)
        look([number], stored[:, np.newaxis])
        _write(stored, out[:, place])


def _count_dropped(layout: Layout, number: int, stored: Array, dropped: dict[int, int]) -> None:
    """Add to ``dropped`` how many values (event,) have bits outside of their column's mask."""
    mask = layout.columns[number].mask
    count = 0 if mask is None else int(np.count_nonzero(stored > mask))
    if count:
        dropped[number] = dropped.get(number, 0) + count


def _write(stored: Array, out: Array) -> None:
    # A float64 beyond float32 becomes infinite, which the pass counts and reports, as it does a signalling NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        out[...] = stored


def native_matrix(layout: Layout, raw: Bytes) -> Array:
    """View (event, channel) of a uniform block's bytes, swapped in place where they are not native."""
    dtype = layout.columns[0].dtype
    is_swapped = layout.order == BIG if _NATIVE == LITTLE else layout.order != BIG
    if is_swapped:
        bits = raw.view(f"u{dtype.itemsize}")
        bits[...] = bits.view(bits.dtype.newbyteorder())  # twice as fast as byteswap(inplace=True)
    return raw.view(dtype).reshape(-1, len(layout.columns))


def _stored_column(layout: Layout, rows: Bytes, column: Column) -> Array:
    field = rows[:, column.offset : column.offset + column.size]
    if column.size == 3:
        low, high = (0, 2) if layout.order != BIG else (2, 0)
        wide = field.astype(np.uint32)
        values: Array = wide[:, low] | wide[:, 1] << 8 | wide[:, high] << 16
    else:
        dtype = column.dtype.newbyteorder(">" if layout.order == BIG else "<")
        values = np.ascontiguousarray(field).view(dtype)[:, 0].astype(column.dtype, copy=False)
    return values


def scale_column(channel: Channel, values: Array, bits: int) -> None:
    """Turn stored values (event,) into linear ones, in place, each rounded once from float64.

    ``x / gain``; ``10 ** (decades * x / range) * value_at_0``; ``x * timestep``: in this order of operations.
    """
    if channel.amplification:
        if bits <= _TABLE_BITS:
            values[...] = logarithmic(channel, np.arange(2.0**bits))[values.astype(np.intp)]
        else:
            values[...] = logarithmic(channel, values.astype(np.float64))
    elif channel.timestep is not None:
        np.multiply(values, channel.timestep, out=values, dtype=np.float64, casting="same_kind")
    else:
        np.divide(values, channel.gain, out=values, dtype=np.float64, casting="same_kind")


def logarithmic(channel: Channel, stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear values of a logarithmic channel (FCS 3.1, doi:10.1002/cyto.a.20825)."""
    decades, floor = channel.amplification or (0.0, 1.0)
    values: NDArray[np.float64] = np.power(10.0, decades * stored / channel.range) * floor
    return values


def refuse_rounding(name: str, channel: Channel, stored: Array) -> None:
    """Raise if an integer above 2^53 has no exact float64 (stored: uint64, event)."""
    large = stored[stored > 2**53]
    if any(int(float(value)) != value for value in large.tolist()):
        raise refusal(
            "integer-above-2-53",
            name,
            f"$P{channel.index + 1}N",
            expected="values that float64 holds exactly",
            remedy="Use raw(), which keeps integers, or leave the channel out.",
        )
