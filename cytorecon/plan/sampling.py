"""A bounded sample of a file's events, chosen by their own content."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytorecon.fcs import Events
from cytorecon.plan.literal import BoundTemplate

Values = NDArray[np.float64]

# Odd numbers with well-mixed bits (Knuth's 2^32 / golden ratio, and two of xxHash's primes).
_PRIMES = (np.uint32(2654435761), np.uint32(2246822519), np.uint32(3266489917))
_ROWS = 16384


def sample_events(
    events: Events, bound: BoundTemplate, whole: int = 131_072, limit: int = 16_384
) -> tuple[Values, float]:
    """Linear values of all events of a small file, of about `limit` events of a large one.

    An event is taken or left by a hash of its stored values: the sample is the same in whatever order the file holds
    its events, and no chance is in it.

    Parameters
    ----------
    events
        Of the file that the template is bound to.
    bound
        Names the columns wanted.
    whole
        A file with at most so many events is taken whole.
    limit
        About so many are taken of a larger one.

    Returns
    -------
    values, weight
        float64 (event, `bound.columns`), and for how many events of the file one of them stands.
    """
    columns = list(bound.columns)
    if events.event_count <= whole:
        parts = [block.copy() for block in events.blocks(_ROWS, columns)]
        return (np.concatenate(parts) if parts else np.empty((0, len(columns)))), 1.0
    keep = np.uint32(int(limit / events.event_count * 2**32))
    every = list(range(len(events.channels)))
    exact = events.is_float32_exact
    stored = np.empty((_ROWS, len(every)), np.float32 if exact else np.float64)
    chosen = [
        block[_hash(block, columns) < keep][:, columns]
        for block in events.blocks(_ROWS, every, out=stored, linear=False)
    ]
    sample = np.concatenate(chosen)
    return events.to_linear(sample, columns), events.event_count / max(len(sample), 1)


def _hash(block: NDArray[Any], columns: list[int]) -> NDArray[np.uint32]:
    """Mix an event's values in up to three columns into 32 bits."""
    some = columns[:: max(1, len(columns) // 3)][:3]
    mixed = np.zeros(len(block), np.uint32)
    for column in some:
        bits = np.ascontiguousarray(block[:, column], np.float32).view(np.uint32)
        mixed = (mixed ^ bits) * _PRIMES[0]
        mixed ^= mixed >> np.uint32(15)
    mixed *= _PRIMES[1]
    mixed ^= mixed >> np.uint32(13)
    mixed *= _PRIMES[2]
    return mixed ^ (mixed >> np.uint32(16))
