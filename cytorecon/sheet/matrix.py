"""A spillover matrix as a CSV file beside the sample sheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cytorecon.compensation import Spillover
from cytorecon.errors import SpilloverError

_ENDING = re.compile(r"-[AHW]$")


def read_matrix(path: Path) -> Spillover:
    """Read a spillover matrix from a CSV file.

    Parameters
    ----------
    path
        The first row names the detectors ($PnN); each further row is one fluorochrome, in the order of the detectors
        or, where the first cell of the first row is empty, named by its first cell. Named rows may come in any
        order: a name is that of a detector, with or without its ending -A, -H or -W.

    Raises
    ------
    SpilloverError
        The file cannot be read, a cell is not a number, a square matrix has a row whose name is no detector's, or
        the matrix cannot be used for compensation.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SpilloverError(path.name, "cannot be read as CSV in UTF-8", got=str(error), code="no-matrix") from None
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline="")) if any(row)]
    labelled = bool(rows) and not rows[0][0]
    detectors = tuple(rows[0][labelled:]) if rows else ()
    names = tuple(row[0] for row in rows[1:]) if labelled else detectors
    values = [[_number(cell, path.name, row) for cell in cells[labelled:]] for row, cells in enumerate(rows[1:], 2)]
    wrong = [row for row, cells in enumerate(values, 2) if len(cells) != len(detectors)]
    if wrong or not detectors or len(names) != len(values):
        raise SpilloverError(
            f"{path.name}, row {wrong[0] if wrong else 1}", "has another number of cells than there are detectors",
            expected=str(len(detectors)), code="bad-shape",
        )  # fmt: skip
    if len(names) == len(detectors):
        names = _row_detectors(names, detectors, path.name)
    return Spillover(detectors=detectors, matrix=np.array(values), fluorochromes=names, source="sheet")


def _row_detectors(names: Sequence[str], detectors: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Give the rows of a square matrix the names of their detectors: as named, else without -A, -H or -W.

    A name that finds no detector is refused: taking such rows in their order could exchange two dyes.
    """
    if set(names) == set(detectors):
        return tuple(names)
    short = {_ENDING.sub("", detector): detector for detector in detectors}
    found = tuple(short.get(_ENDING.sub("", name), "") for name in names)
    if len(short) == len(detectors) and set(found) == set(detectors):
        return found
    unknown = [name for name in names if name not in detectors] or list(names)
    raise SpilloverError(
        where,
        f"rows do not bear the names of the columns: {', '.join(unknown[:8])}",
        expected=f"each of {', '.join(detectors[:40])} once, in any order",
        remedy="Name each row as the column of its detector, or leave the names of rows out.",
        code="spillover-name",
    )


def _number(cell: str, name: str, row: int) -> float:
    try:
        return float(cell)
    except ValueError:
        raise SpilloverError(
            f"{name}, row {row}", "holds no number", expected="a number with a decimal point", got=repr(cell[:60])
        ) from None
