"""A spillover matrix as a CSV file beside the sample sheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from cytorecon.compensation import Spillover
from cytorecon.errors import SpilloverError


def read_matrix(path: Path) -> Spillover:
    """Read a spillover matrix from a CSV file.

    Parameters
    ----------
    path
        The first row names the detectors ($PnN); each further row is one fluorochrome, in the order of the detectors
        or, where the first cell of the first row is empty, named by its first cell.

    Raises
    ------
    SpilloverError
        The file cannot be read, a cell is not a number, or the matrix cannot be used for compensation.
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
    return Spillover(detectors=detectors, matrix=np.array(values), fluorochromes=names, source="sheet")


def _number(cell: str, name: str, row: int) -> float:
    try:
        return float(cell)
    except ValueError:
        raise SpilloverError(
            f"{name}, row {row}", "holds no number", expected="a number with a decimal point", got=repr(cell[:60])
        ) from None
