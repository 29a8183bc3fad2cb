"""A compiled plan over the blocks of a file, with a second look at whatever single precision cannot decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytorecon.fcs import Channel, Events
from cytorecon.plan.compile import compile_plan
from cytorecon.plan.kernel import Block, Frame, walk
from cytorecon.plan.literal import BoundTemplate, judge

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]

# A block should be worth some 200 calls of numpy, and leave the caches room for what is made of it.
_BLOCK_BYTES, _FEWEST_ROWS = 3 << 19, 4096
# So many doubtful events are looked at together: the literal evaluator costs as much for one event as for hundreds.
_SECOND_LOOK = 4096
# If more than this share of a block exceeds the limits that a plan was compiled for, wider limits pay.
_STRAYS = 1 / 64
_AS_ONE = 256
_LARGEST_LIMIT = 2.0**100


class Membership(Mapping[str, Mask]):
    """Population path -> boolean (event,), kept as one bit an event and unpacked when asked for."""

    def __init__(self, bits: Mapping[str, NDArray[np.uint8]], event_count: int) -> None:
        self._bits, self._event_count = bits, event_count

    def __getitem__(self, path: str) -> Mask:
        return np.unpackbits(self._bits[path], count=self._event_count).view(np.bool_)

    def __iter__(self) -> Iterator[str]:
        return iter(self._bits)

    def __len__(self) -> int:
        return len(self._bits)


@dataclass(frozen=True)
class Outcome:
    """What a pass over a file's events counted.

    Parameters
    ----------
    counts
        Path -> events inside.
    not_finite
        Events without a number on some axis of a gate.
    deferred
        Events that the literal evaluator had to decide.
    membership
        Who belongs to each population, or None.
    """

    counts: Mapping[str, int]
    not_finite: int
    deferred: int
    membership: Membership | None


def run(
    events: Events, bound: BoundTemplate, *, membership: bool = False, digest: bool = False, rows: int = 0
) -> Outcome:
    """Count every population of a bound template in a file: the literal evaluator's counts, event for event.

    Parameters
    ----------
    events
        Of the file that the template is bound to.
    bound
        The template.
    membership
        Keep who belongs to each population.
    digest
        Compute the file's SHA-256 in the same pass.
    rows
        Events a block; 0 chooses. Memory depends on it, results never.
    """
    channels = events.channels if 2 * len(bound.columns) >= len(events.channels) else _needed(events, bound)
    dtype = np.dtype(np.float32 if events.is_float32_exact else np.float64)
    size = _BLOCK_BYTES // 3 if digest else _BLOCK_BYTES  # the digest keeps two copies of a block
    rows = rows or max(_FEWEST_ROWS, size // max(1, len(channels) * dtype.itemsize))
    rows = min(-(-rows // 8) * 8, max(8, events.event_count))
    stored = np.empty((rows, len(channels)), dtype)
    blocks = events.blocks(rows, [channel.index for channel in channels], out=stored, linear=False, digest=digest)
    passing: _Pass | None = None
    for block in blocks:
        if passing is None:
            passing = _Pass(events, bound, channels, membership, rows, _limits(channels, _peaks(block)))
        passing.take(block)
    if passing is None:
        counts = dict.fromkeys((population.path for population in bound.populations), 0)
        return Outcome(counts, 0, 0, Membership({}, 0) if membership else None)
    return passing.finish()


def _needed(events: Events, bound: BoundTemplate) -> tuple[Channel, ...]:
    """The channels of a bound template; one of the file's where none is measured, as a block has at least one."""
    return tuple(events.channels[column] for column in bound.columns) or events.channels[:1]


def _limits(channels: Sequence[Channel], peaks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Powers of two that the channels' values seldom exceed: from ``$PnR``, or what was seen."""
    stated = np.array([channel.range if np.isfinite(channel.range) else 1.0 for channel in channels])
    seen = np.where(np.isfinite(peaks), peaks, 1.0)
    exponents = np.ceil(np.log2(np.maximum(np.maximum(stated, seen), 1.0)))
    limits: NDArray[np.float64] = np.minimum(np.exp2(exponents), _LARGEST_LIMIT)
    return limits


def _peaks(block: NDArray[Any]) -> NDArray[np.float64]:
    """Largest size of each column's values; NaN where one is NaN.

    Many rows are taken as one, since numpy reduces short rows slowly.
    """
    count = block.shape[1]
    whole = len(block) // _AS_ONE * _AS_ONE
    parts = (block[:whole].reshape(-1, _AS_ONE * count), block[whole:])
    peaks = [np.maximum(part.max(axis=0), -part.min(axis=0)).reshape(-1, count) for part in parts if len(part)]
    return np.asarray(np.concatenate(peaks).max(axis=0), dtype=np.float64)


@dataclass
class _Pass:
    """The state of one pass."""

    events: Events
    bound: BoundTemplate
    channels: tuple[Channel, ...]
    membership: bool
    rows: int
    limits: NDArray[np.float64]
    first: int = 0
    not_finite: int = 0
    deferred: int = 0
    _waiting: list[tuple[NDArray[Any], NDArray[np.float32], Rows, Mask]] = field(default_factory=list)

    def __post_init__(self) -> None:
        count = len(self.bound.populations)
        self.counts = np.zeros(count, dtype=np.int64)
        self.bits = np.zeros((count, -(-self.events.event_count // 8)), np.uint8) if self.membership else None
        self._compile()

    def _compile(self) -> None:
        exact = self.events.is_float32_exact
        self.plan = compile_plan(self.bound, self.channels, tuple(self.limits.tolist()), exact, self.membership)
        self._values = np.empty((len(self.plan.matrix) + len(self.plan.plain), self.rows), np.float32)

    def take(self, stored: NDArray[Any]) -> None:
        """Count one block of stored values (event, input)."""
        lost = self._strays(stored)
        values = self._values[:, : len(stored)]
        mixed = len(self.plan.matrix)
        with np.errstate(all="ignore"):  # strays may overflow here
            single = stored if stored.dtype == np.float32 else stored.astype(np.float32)
            np.matmul(self.plan.matrix, single[:, self.plan.detectors].T, out=values[:mixed])
        for column, place in enumerate(self.plan.plain, mixed):
            values[column] = single[:, place]
        if lost is None:
            lost = np.zeros(len(stored), dtype=np.bool_)
        else:
            values[:, lost] = 0.0
        deferred = np.zeros(len(stored), dtype=np.bool_)
        block = self._walk(stored, values, lost, deferred, 1)
        if self.bits is not None:
            start = self.first // 8
            for number, inside in block.inside.items():
                packed = np.packbits(inside)
                self.bits[number, start : start + len(packed)] = packed
        doubtful = np.flatnonzero(deferred | lost)
        if len(doubtful):
            self._waiting.append((stored[doubtful], values[:, doubtful], doubtful + self.first, lost[doubtful]))
            if sum(len(places) for _, _, places, _ in self._waiting) >= _SECOND_LOOK:
                self._look_again()
        self.first += len(stored)

    def finish(self) -> Outcome:
        """The counts, once every block was taken."""
        self._look_again()
        paths = self.plan.paths
        counts = dict(zip(paths, map(int, self.counts), strict=True))
        kept = None
        if self.bits is not None:
            kept = Membership(dict(zip(paths, self.bits, strict=True)), self.events.event_count)
        return Outcome(counts, self.not_finite, self.deferred, kept)

    def _strays(self, stored: NDArray[Any]) -> Mask | None:
        """Events beyond the limits of the plan, or not finite; None if there are none."""
        peaks = _peaks(stored)
        if (peaks <= self.limits).all():
            return None
        strays: Mask = ~(np.abs(stored) <= self.limits).all(axis=1)
        if np.count_nonzero(strays) > _STRAYS * len(stored):
            wider = np.maximum(self.limits, _limits(self.channels, peaks))
            if (wider > self.limits).any():
                self._look_again()
                self.limits = wider
                self._compile()
                strays = ~(np.abs(stored) <= self.limits).all(axis=1)
        return strays

    def _walk(
        self, stored: NDArray[Any], values: NDArray[np.float32], lost: Mask, deferred: Mask | None, sign: int
    ) -> Block:
        """Send events through the tree; `sign` −1 takes back what they were counted for."""
        plan = self.plan

        def evaluate(number: int, rows: Rows) -> Mask:
            return judge(plan.literal[number], self._linear(stored[rows])).inside[plan.paths[number]]

        block = Block(values, plan.rasters, evaluate, deferred)
        counts = np.zeros_like(self.counts)
        frame = Frame(block, None)
        walk(plan.roots, frame, None, counts)
        self.counts += sign * counts
        if plan.domain.sides or plan.unseen:
            self.not_finite += sign * self._count_not_finite(stored, frame, lost)
        return block

    def _count_not_finite(self, stored: NDArray[Any], frame: Frame, lost: Mask) -> int:
        """Events without a number on some axis; those in doubt become lost."""
        sure, doubt = self.plan.domain.decide(frame)
        lost[doubt] = True
        for axis in self.plan.unseen:
            sure = sure & np.isfinite(axis.values(self._linear(stored), self.bound.names))
        return int(np.count_nonzero(~sure))

    def _linear(self, stored: NDArray[Any]) -> NDArray[np.float64]:
        """What the literal evaluator takes: float64 linear values (event, `bound.columns`)."""
        return self.events.to_linear(stored[:, list(self.plan.positions)], self.bound.columns)

    def _look_again(self) -> None:
        """Take back what the waiting events were counted for, and count them with every doubt settled.

        Those lost to single precision, too large or perhaps not finite, are left to the literal evaluator altogether.
        """
        if not self._waiting:
            return
        stored, values, places, lost = (
            np.ascontiguousarray(np.concatenate(parts, axis=axis))
            for parts, axis in zip(zip(*self._waiting, strict=True), (0, 1, 0, 0), strict=True)
        )
        self._waiting.clear()
        self.deferred += len(places)
        before = self._walk(stored, values, lost, np.zeros_like(lost), -1).inside
        kept = ~lost if lost.any() else slice(None)
        after = self._walk(stored[kept], np.ascontiguousarray(values[:, kept]), lost[kept], None, 1).inside
        literal = self._judged(stored[lost])
        if self.bits is not None:
            nobody = np.zeros_like(lost)
            for number, bits in enumerate(self.bits):
                inside = nobody.copy()
                inside[kept] = after.get(number, False)
                inside[lost] = literal.get(number, False)
                _flip(bits, places[inside != before.get(number, nobody)])

    def _judged(self, stored: NDArray[Any]) -> dict[int, Mask]:
        """Count some events literally; membership by population number."""
        if not len(stored):
            return {}
        judgement = judge(self.bound, self._linear(stored))
        self.not_finite += int(np.count_nonzero(~judgement.finite))
        inside = {number: judgement.inside[path] for number, path in enumerate(self.plan.paths)}
        self.counts += [np.count_nonzero(members) for members in inside.values()]
        return inside


def _flip(bits: NDArray[np.uint8], places: Rows) -> None:
    np.bitwise_xor.at(bits, places >> 3, (128 >> (places & 7)).astype(np.uint8))
