"""An inverse by elementary steps: the same bits on every machine, and as good as exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytorecon.errors import SpilloverError

Values = NDArray[np.float64]


def inverse(matrix: ArrayLike) -> Values:
    """Inverse of a square matrix by elementary float64 steps, read-only, the same bits on every machine.

    Gauss–Jordan elimination with partial pivoting, then two Newton steps ``X + X (1 − A X)`` with the
    residual in twice the precision, so that the error is a few units of the last place of the largest entry.
    Nothing is left to LAPACK, whose last bits depend on its build and on the processor.

    Raises
    ------
    SpilloverError
        If a pivot is zero.
    """
    original = np.array(matrix, dtype=np.float64)
    size = len(original)
    work = np.hstack([original, np.eye(size)])
    for column in range(size):
        pivot = column + int(np.argmax(np.abs(work[column:, column])))
        if work[pivot, column] == 0.0 or not np.isfinite(work[pivot, column]):
            raise SpilloverError("spillover", "the matrix is singular", code="spillover-singular")
        work[[column, pivot]] = work[[pivot, column]]
        work[column] /= work[column, column]
        factors = work[:, column].copy()
        factors[column] = 0.0
        work -= factors[:, None] * work[column]
    result = work[:, size:].copy()
    for _ in range(2):
        result += _product(result, _residual(original, result))
    result.setflags(write=False)
    return result


def _product(left: Values, right: Values) -> Values:
    """Matrix product with its additions in order."""
    total = np.zeros((left.shape[0], right.shape[1]))
    for index in range(left.shape[1]):
        total += left[:, index, None] * right[index]
    return total


def _residual(matrix: Values, candidate: Values) -> Values:
    """``1 − matrix · candidate`` with products and sums carried in two float64 each (Dekker, Knuth).

    References: doi:10.1007/BF01397083 (exact product), doi:10.1137/030601818 (the compensated dot product).
    """
    high = np.eye(len(matrix))
    low = np.zeros_like(high)
    for index in range(len(matrix)):
        left, right = -matrix[:, index, None], candidate[index]
        product = left * right
        left_high, left_low = _halves(left)
        right_high, right_low = _halves(right)
        error = left_low * right_low - (
            ((product - left_high * right_high) - left_low * right_high) - left_high * right_low
        )
        total = high + product
        back = total - high
        low += ((high - (total - back)) + (product - back)) + error
        high = total
    return high + low


def _halves(values: Values) -> tuple[Values, Values]:
    """Split each float64 exactly into two of 26 bits."""
    scaled = values * 134217729.0  # 2**27 + 1
    high: Values = scaled - (scaled - values)
    return high, values - high
