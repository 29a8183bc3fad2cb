"""Compensation: from what the detectors saw to what each fluorochrome shone.

The written specification, event by event, for detectors 0, 1, 2, …::

    fluorochrome_j = ((x_0 · u_0j) + x_1 · u_1j) + x_2 · u_2j …

in float64, from left to right, zeros included, each product and each sum rounded once. There is no matrix
product of a library in it, whose order of additions depends on the number of events and on the processor.
``u`` is the inverse of the spillover matrix or, where there are more detectors than fluorochromes, its
pseudo-inverse (least squares, as Gating-ML 2.0 says of a spectrum matrix). It is computed here by elementary
float64 steps too; see `Spillover.unmixing`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytorecon.errors import Finding, SpilloverError

Values = NDArray[np.float64]

MAX_CONDITION = 1e6  # beyond this, six digits of every value are lost
REPORTED_CONDITION = 1e3


class Channeled(Protocol):
    """What `compensate` needs of the events of a file."""

    @property
    def channels(self) -> Sequence[Named]:
        """Channels, in column order."""
        ...

    def array(self) -> Values:
        """Linear values (event, channel)."""
        ...

    def spillover(self) -> Spillover | None:
        """The matrix of the file, or None."""
        ...


class Named(Protocol):
    """A channel's two names."""

    @property
    def name(self) -> str:
        """``$PnN``."""
        ...

    @property
    def marker(self) -> str:
        """``$PnS``, empty if there is none."""
        ...


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
        Names of the rows; the detectors' names if left out. At most as many as detectors.
    source
        Where it comes from: ``$SPILLOVER``, ``$SPILL``, ``SPILL``, ``$COMP``, ``template``, ``sheet``.
    findings
        What was accepted on reading; conditions of the matrix itself are added.

    Raises
    ------
    SpilloverError
        If names repeat, the shape does not fit the names, an entry is not finite, or the matrix is singular
        or has a condition number (2-norm) above 1e6.
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
        _refuse_repeats(self.detectors, where)
        _refuse_repeats(self.fluorochromes, where)
        matrix = _numbers(self.matrix, (len(self.fluorochromes), len(self.detectors)), where)
        matrix, rescaled = _as_fraction(matrix, where)
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)
        findings = (*self.findings, *rescaled, *_condition_findings(matrix, where))
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


def spillover_from_text(
    value: str, names: Sequence[str], markers: Sequence[str] = (), source: str = "$SPILLOVER"
) -> Spillover:
    """Parse the value of ``$SPILLOVER`` and its relatives: ``n,name1,…,namen,v11,v12,…,vnn``.

    Parameters
    ----------
    value
        The keyword's value. It is never taken for the name of a file.
    names
        ``$PnN`` of the file's channels, in order.
    markers
        ``$PnS`` of the same channels; empty strings where there is none.
    source
        The keyword, for errors and findings.

    Returns
    -------
    Spillover
        With ``$PnN`` names, whatever names the value used.

    Raises
    ------
    SpilloverError
        If the count is wrong, a name is unknown, ambiguous or repeated, or the numbers make no usable matrix.
    """
    fields = [field.strip() for field in value.split(",")]
    count = int(fields[0]) if re.fullmatch(r"[0-9]{1,6}", fields[0]) else 0
    unnamed = source == "$COMP" and len(fields) == 1 + count * count
    if count < 1 or not (unnamed or len(fields) == 1 + count + count * count):
        raise _count_error(fields, count, source)
    findings: tuple[Finding, ...] = ()
    if unnamed:
        # FCS 3.0 gives $COMP no names: its rows and columns are the parameters, in order.
        fields[1:1] = [str(number) for number in range(1, count + 1)]
        message = "the matrix names no channels; taken for parameters 1, 2, …"
        findings = (Finding("spillover-unnamed", message, "review", source),)
    columns = resolve_names(fields[1 : 1 + count], names, () if unnamed else markers, source)
    numbers = [_number(field, source) for field in fields[1 + count :]]
    matrix = np.array(numbers).reshape(count, count)
    return Spillover(tuple(names[column] for column in columns), matrix, (), source, findings)


def resolve_names(wanted: Sequence[str], names: Sequence[str], markers: Sequence[str], source: str) -> tuple[int, ...]:
    """Columns of the channels that a matrix names: all by ``$PnN``, else all by ``$PnS``, else by number.

    Raises
    ------
    SpilloverError
        If no one way of naming finds every name, exactly and once.
    """
    numbers = [str(number) for number in range(1, len(names) + 1)]
    for way in (names, markers, numbers):
        places = [[column for column, name in enumerate(way) if name and name == sought] for sought in wanted]
        if all(len(place) == 1 for place in places):
            columns = tuple(place[0] for place in places)
            _refuse_repeats([names[column] for column in columns], source)
            return columns
    known = {*names, *markers}
    unknown = [name for name in wanted if name not in known] or list(wanted)
    raise SpilloverError(
        source,
        f"names do not resolve to channels: {', '.join(unknown[:8])}",
        expected=f"$PnN, $PnS or numbers of {', '.join(names)}",
        remedy="Give a matrix with this file's channel names in the template or the sample sheet.",
        code="spillover-name",
    )


def spillover_from_inverse(
    detectors: Sequence[str], matrix: ArrayLike, fluorochromes: Sequence[str] = (), source: str = ""
) -> Spillover:
    """Turn back a square matrix (detector, fluorochrome) that Gating-ML marks ``matrix-inverted-already``.

    Raises
    ------
    SpilloverError
        If it is not square or cannot be inverted back.
    """
    numbers = _numbers(matrix, (len(detectors), len(detectors)), source or "spillover")
    return Spillover(tuple(detectors), inverse(numbers), tuple(fluorochromes), source)


def compensate(events: Channeled, spillover: Spillover | None = None) -> Values:
    """Compensate the events of a file.

    Parameters
    ----------
    events
        Events of a file.
    spillover
        The matrix; the file's own if left out. Its names may be ``$PnN``, ``$PnS`` or numbers of channels.

    Returns
    -------
    array
        Linear values (event, channel); channels outside the matrix, and the additional detectors of a
        spectrum matrix, are unchanged. A value that is not finite makes every fluorochrome of its event so.

    Raises
    ------
    SpilloverError
        If there is no matrix, it is unusable, or its names are no channels of the file.
    """
    matrix = events.spillover() if spillover is None else spillover
    if matrix is None:
        raise SpilloverError(
            "spillover",
            "the file has no matrix",
            expected="$SPILLOVER, $SPILL, SPILL or $COMP",
            remedy="Pass a Spillover, or use events.array() and say that the result is uncompensated.",
            code="spillover-missing",
        )
    names = [channel.name for channel in events.channels]
    resolved = resolved_for(matrix, names, [channel.marker for channel in events.channels])
    values = np.array(events.array(), dtype=np.float64)
    columns = _output_columns(resolved, names)
    sources = [values[:, names.index(detector)].copy() for detector in resolved.detectors]
    for number, column in enumerate(columns):
        values[:, column] = _combined(sources, resolved.unmixing[:, number])
    return values


def compensate_columns(
    values: Values, channel_names: Sequence[str], spillover: Spillover, wanted: Sequence[str]
) -> Values:
    """Compensate only the wanted channels of a block of events.

    Parameters
    ----------
    values
        Linear values (event, channel).
    channel_names
        ``$PnN`` of the columns; every detector of the matrix must be among them.
    spillover
        The matrix, with ``$PnN`` names.
    wanted
        Fluorochromes, detectors of a square matrix, or channels outside the matrix (returned unchanged).

    Returns
    -------
    array
        (event, wanted), the same bits as the columns of `compensate`.

    Raises
    ------
    SpilloverError
        If a detector or a wanted name is not there.
    """
    position = {name: column for column, name in enumerate(channel_names)}
    outputs = spillover.outputs
    _require_channels(spillover.detectors, position, spillover.source)
    _require_channels([name for name in wanted if name not in outputs], position, spillover.source)
    sources = [values[:, position[detector]] for detector in spillover.detectors]
    result = np.empty((len(values), len(wanted)))
    for place, name in enumerate(wanted):
        if name in outputs:
            result[:, place] = _combined(sources, spillover.unmixing[:, outputs[name]])
        else:
            result[:, place] = values[:, position[name]]
    return result


def resolved_for(spillover: Spillover, names: Sequence[str], markers: Sequence[str]) -> Spillover:
    """Give a matrix the ``$PnN`` names of one file.

    Raises
    ------
    SpilloverError
        If its detectors do not resolve exactly.
    """
    where = spillover.source or "spillover"
    columns = resolve_names(spillover.detectors, names, markers, where)
    detectors = tuple(names[column] for column in columns)
    if detectors == spillover.detectors:
        return spillover
    renamed = dict(zip(spillover.detectors, detectors, strict=True))
    fluorochromes = tuple(renamed.get(name, name) for name in spillover.fluorochromes)
    return Spillover(detectors, spillover.matrix, fluorochromes, spillover.source, spillover.findings)


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


def _combined(sources: Sequence[Values], weights: Values) -> Values:
    """Add up weighted columns from left to right."""
    with np.errstate(over="ignore", invalid="ignore"):
        total: Values = sources[0] * weights[0]
        for source, weight in zip(sources[1:], weights[1:], strict=True):
            total += source * weight
    return total


def _output_columns(spillover: Spillover, names: Sequence[str]) -> list[int]:
    """Column of the array in which each fluorochrome is put: the one of its name, else its detector's."""
    square = len(spillover.detectors) == len(spillover.fluorochromes)
    targets = spillover.fluorochromes
    if square and not set(targets) <= set(names):
        targets = spillover.detectors
    _require_channels(targets, names, spillover.source)
    return [names.index(target) for target in targets]


def _count_error(fields: Sequence[str], count: int, where: str) -> SpilloverError:
    total = 1 + count + count * count
    return SpilloverError(
        where,
        "wrong number of fields",
        expected=f"n = {count}, {count} names and {count * count} numbers: {total} fields" if count else "a count",
        got=f"{len(fields)} fields, the first {fields[0][:20]!r}",
        remedy="Give a matrix in the template or the sample sheet, or ask for compensation 'none'.",
        code="spillover-count",
    )


def _require_channels(wanted: Sequence[str], names: Sequence[str] | Mapping[str, int], source: str) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        raise SpilloverError(
            source or "spillover",
            f"no channel for {', '.join(missing)}",
            expected=f"one of {', '.join(names)}",
            code="spillover-name",
        )


def _refuse_repeats(names: Sequence[str], where: str) -> None:
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated or "" in names or not names:
        problem = f"names repeat: {', '.join(repeated)}" if repeated else "a name is empty"
        raise SpilloverError(where, problem, expected="each channel named once", code="spillover-name")


def _number(field: str, where: str) -> float:
    # float() alone would take 1_000, infinity and other alphabets' digits.
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", field):
        raise SpilloverError(
            where, "not a number", expected="a decimal number", got=repr(field[:40]), code="spillover-number"
        )
    return float(field)


def _numbers(matrix: ArrayLike, shape: tuple[int, int], where: str) -> Values:
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
