"""Matrices as files write them, and the channels they name."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from cytorecon.compensation.inversion import inverse
from cytorecon.compensation.spillover import Spillover, checked_matrix, refuse_repeats
from cytorecon.errors import Finding, SpilloverError


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


def spillover_from_inverse(
    detectors: Sequence[str], matrix: ArrayLike, fluorochromes: Sequence[str] = (), source: str = ""
) -> Spillover:
    """Turn back a square matrix (detector, fluorochrome) that Gating-ML marks ``matrix-inverted-already``.

    Raises
    ------
    SpilloverError
        If it is not square or cannot be inverted back.
    """
    numbers = checked_matrix(matrix, (len(detectors), len(detectors)), source or "spillover")
    return Spillover(tuple(detectors), inverse(numbers), tuple(fluorochromes), source)


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
            refuse_repeats([names[column] for column in columns], source)
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


def _number(field: str, where: str) -> float:
    # float() alone would take 1_000, infinity and other alphabets' digits.
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", field):
        raise SpilloverError(
            where, "not a number", expected="a decimal number", got=repr(field[:40]), code="spillover-number"
        )
    return float(field)
