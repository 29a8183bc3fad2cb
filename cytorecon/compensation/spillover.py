"""Spillover and spectrum matrices: what is accepted, and the matrix that undoes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from cytorecon.compensation.inversion import Values, inverse
from cytorecon.errors import Finding, SpilloverError

MAX_CONDITION = 1e6  # beyond this, six digits of every value are lost
REPORTED_CONDITION = 1e3
MAX_RATIO = 10.0  # of two diagonal entries, or of a spillover to its own detector; fractions and percent differ by 100


@dataclass(frozen=True, eq=False)
class Spillover:
    """What one unit of each fluorochrome adds to each detector.

    Parameters
    ----------
    detectors
        Names of the columns (``$PnN``).
    matrix
        Spillover (fluorochrome, detector), a fraction: 1 on the diagonal of a square matrix. A square matrix
        whose diagonal is 100 throughout is taken as percent. Kept as a read-only float64 array.
    fluorochromes
        Names of the rows; the detectors' names if left out. At most as many as detectors. Rows that bear the
        detectors' names in another order are brought into theirs.
    source
        Where it comes from: ``$SPILLOVER``, ``$SPILL``, ``SPILL``, ``$COMP``, ``template``, ``sheet``.
    findings
        What was accepted on reading; conditions of the matrix itself are added.

    Raises
    ------
    SpilloverError
        If names repeat, the shape does not fit the names, an entry is not finite, a square matrix has a row whose
        diagonal entry is not its largest (unless the diagonal is 1 throughout) or diagonal entries of different
        units, or the matrix is singular or has a condition number (2-norm) above 1e6.
    """

    detectors: tuple[str, ...]
    matrix: Values
    fluorochromes: tuple[str, ...] = ()
    source: str = ""
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        where = self.source or "spillover"
        object.__setattr__(self, "detectors", tuple(self.detectors))
        object.__setattr__(self, "fluorochromes", tuple(self.fluorochromes) or self.detectors)
        refuse_repeats(self.detectors, where)
        refuse_repeats(self.fluorochromes, where)
        matrix = checked_matrix(self.matrix, (len(self.fluorochromes), len(self.detectors)), where)
        if set(self.fluorochromes) == set(self.detectors) and self.fluorochromes != self.detectors:
            matrix = matrix[[self.fluorochromes.index(name) for name in self.detectors]]
            object.__setattr__(self, "fluorochromes", self.detectors)
        is_square = len(self.fluorochromes) == len(self.detectors)
        above = _diagonal_findings(matrix, self.fluorochromes, where) if is_square else ()
        matrix, rescaled = _as_fraction(matrix, where)
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)
        findings = (*self.findings, *above, *rescaled, *_condition_findings(matrix, where))
        object.__setattr__(self, "findings", tuple(dict.fromkeys(findings)))

    def __eq__(self, other: object) -> bool:
        """Equal names and numbers; where they came from is not compared."""
        return isinstance(other, Spillover) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @property
    def _content(self) -> tuple[object, ...]:
        return self.detectors, self.fluorochromes, (self.matrix + 0.0).tobytes()

    @cached_property
    def unmixing(self) -> Values:
        """Inverse or pseudo-inverse (detector, fluorochrome), read-only, the same bits on every machine.

        See `inverse`: errors are a few units of the last place of the matrix's largest entry.
        """
        if len(self.detectors) == len(self.fluorochromes):
            return inverse(self.matrix)
        # S⁺ is a block of the inverse of [[1, Sᵀ], [S, 0]]; the normal equations would square the condition.
        detectors, rows = len(self.detectors), len(self.fluorochromes)
        system = np.eye(detectors + rows)
        system[:detectors, detectors:] = self.matrix.T
        system[detectors:, :detectors] = self.matrix
        system[detectors:, detectors:] = 0.0
        block = np.ascontiguousarray(inverse(system)[:detectors, detectors:])
        block.setflags(write=False)
        return block

    @property
    def outputs(self) -> Mapping[str, int]:
        """Fluorochrome's number by every name it may be asked for: its own, and its detector's if square."""
        own = {name: number for number, name in enumerate(self.fluorochromes)}
        if len(self.detectors) != len(self.fluorochromes):
            return own
        return {name: number for number, name in enumerate(self.detectors)} | own


def refuse_repeats(names: Sequence[str], where: str) -> None:
    """Refuse names that are empty, repeated, or none at all."""
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated or "" in names or not names:
        problem = f"names repeat: {', '.join(repeated)}" if repeated else "a name is empty"
        raise SpilloverError(where, problem, expected="each channel named once", code="spillover-name")


def checked_matrix(matrix: ArrayLike, shape: tuple[int, int], where: str) -> Values:
    """Copy of the matrix, checked for shape and finite entries."""
    try:
        numbers = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        raise SpilloverError(where, "the matrix is not a table of numbers", code="spillover-number") from None
    rows, columns = shape
    if numbers.shape != shape or rows > columns:
        raise SpilloverError(
            where,
            "the matrix does not fit its names",
            expected=f"{rows} rows of {columns} numbers, not more fluorochromes than detectors",
            got=f"shape {numbers.shape}",
            code="spillover-shape",
        )
    if not np.all(np.isfinite(numbers)):
        raise SpilloverError(where, "the matrix holds NaN or infinity", code="spillover-number")
    return numbers


def _diagonal_findings(matrix: Values, fluorochromes: Sequence[str], where: str) -> tuple[Finding, ...]:
    """Refuse rows in another order than the columns, and mixed units.

    A dye is brightest in its own detector, except that detectors of unequal sensitivity make spillovers above 1:
    these are believed where a diagonal of 1 throughout shows that each row was divided by its own detector.
    """
    diagonal, largest = np.diagonal(matrix), matrix.max(axis=1)
    is_divided = any(np.allclose(diagonal, unit, rtol=1e-6, atol=0) for unit in (1.0, 100.0))
    above = diagonal < largest
    wrong = np.flatnonzero((diagonal <= 0) | (largest > MAX_RATIO * diagonal if is_divided else above))
    if len(wrong):
        row = int(wrong[0])
        raise SpilloverError(
            where,
            f"the diagonal entry of row {fluorochromes[row]!r} is not its largest",
            expected="rows in one order with the columns, each largest in its own detector",
            got=f"{diagonal[row]:g} beside {largest[row]:g}",
            remedy="Bring rows and columns into one order, or name the rows as the columns are named.",
            code="spillover-order",
        )
    if diagonal.max() > MAX_RATIO * diagonal.min():
        raise SpilloverError(
            where,
            "the diagonal mixes units",
            expected="1 throughout, or 100 throughout",
            got=f"{diagonal.min():g} to {diagonal.max():g}",
            remedy="Write every row as fractions, or every row in percent.",
            code="spillover-unit",
        )
    if not above.any():
        return ()
    rows = ", ".join(name for name, is_above in zip(fluorochromes, above, strict=True) if is_above)
    message = f"dyes are brighter in another detector than in their own: {rows}"
    return (Finding("spillover-above-own", message, "warning", where),)


def _as_fraction(matrix: Values, where: str) -> tuple[Values, tuple[Finding, ...]]:
    """Bring a percent matrix onto fractions; mention a diagonal that is neither."""
    rows, columns = matrix.shape
    diagonal = np.diagonal(matrix)
    if rows != columns or bool(np.all(diagonal == 1.0)):
        return matrix, ()
    if bool(np.all(diagonal == 100.0)):
        message = "diagonal is 100: taken as percent and divided by 100"
        return matrix / 100.0, (Finding("spillover-percent", message, "warning", where),)
    message = f"diagonal is not 1 throughout ({diagonal.min():g} to {diagonal.max():g}); used as it stands"
    return matrix, (Finding("spillover-diagonal", message, "warning", where),)


def _condition_findings(matrix: Values, where: str) -> tuple[Finding, ...]:
    largest = float(np.max(np.abs(matrix)))
    condition = float(np.linalg.cond(matrix / largest)) if largest > 0 else np.inf
    if not condition <= MAX_CONDITION:
        raise SpilloverError(
            where,
            "the matrix is singular or nearly so",
            expected=f"condition number at most {MAX_CONDITION:.0e}",
            got=f"{condition:.3g}",
            remedy="Compute the matrix again from the single-stained controls.",
            code="spillover-singular",
        )
    if condition > REPORTED_CONDITION:
        message = f"condition number {condition:.0f}: errors of measurement are magnified as much"
        return (Finding("spillover-condition", message, "warning", where),)
    return ()
