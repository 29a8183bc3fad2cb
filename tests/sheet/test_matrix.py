"""A spillover matrix beside the sheet: rows find their columns by name, or the file is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytorecon.compensation import Spillover
from cytorecon.errors import SpilloverError
from cytorecon.sheet.matrix import read_matrix

EXPECTED = Spillover(("FITC-A", "PE-A"), np.array([[1, 0.3], [0.05, 1]]))


def matrix_of(folder: Path, text: str) -> Spillover:
    path = folder / "matrix.csv"
    path.write_text(text, encoding="utf-8")
    return read_matrix(path)


@pytest.mark.parametrize(
    "text",
    [
        "FITC-A,PE-A\n1,0.3\n0.05,1\n",
        ",FITC-A,PE-A\nFITC-A,1,0.3\nPE-A,0.05,1\n",
        ",FITC-A,PE-A\nPE-A,0.05,1\nFITC-A,1,0.3\n",
        ",FITC-A,PE-A\nFITC,1,0.3\nPE,0.05,1\n",
        ",FITC-A,PE-A\nPE,.05,1\nFITC,1,.3\n",
        "FITC-A,PE-A\n100,30\n5,100\n",
    ],
)
def test_read_matrix__rows_in_any_order(tmp_path: Path, text: str) -> None:
    """Rows named as the columns, with or without -A, mean the same in any order."""
    assert EXPECTED == matrix_of(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",FITC-A,PE-A\nR-PE,0.05,1\nFITC,1,0.3\n", "rows do not bear the names of the columns: R-PE"),
        (",FITC-A,PE-A\nPE,1,0.3\nPE-A,0.05,1\n", "rows do not bear the names of the columns: PE;"),
        (",FITC-A,FITC-H\nFITC,1,0.3\nFITC-A,0.05,1\n", "rows do not bear the names of the columns: FITC;"),
        ("FITC-A,PE-A\n0.05,1\n1,0.3\n", "diagonal entry of row 'FITC-A' is not its largest.*got 0.05 beside 1"),
        ("FITC-A,PE-A\n0,0.3\n0.05,0\n", "diagonal entry of row 'FITC-A' is not its largest"),
        ("FITC-A,PE-A\n1,30\n5,100\n", "diagonal entry of row 'FITC-A' is not its largest"),
        ("FITC-A,PE-A\n100,30\n0.05,1\n", "diagonal mixes units.*got 1 to 100"),
        ("FITC-A,PE-A\n1\n0.05,1\n", "another number of cells than there are detectors"),
        ("FITC-A,PE-A\n1,x\n0.05,1\n", "row 2.*holds no number"),
    ],
)
def test_read_matrix__refuses(tmp_path: Path, text: str, message: str) -> None:
    """What could exchange two dyes, or scale one by a hundred, is refused."""
    with pytest.raises(SpilloverError, match=message):
        matrix_of(tmp_path, text)


def test_read_matrix__spectrum(tmp_path: Path) -> None:
    """A matrix of fewer fluorochromes than detectors has names of its own."""
    spillover = matrix_of(tmp_path, ",V1-A,V2-A,V3-A\nBV421,1,0.4,0.1\nBV510,0.2,0.5,1\n")
    assert ("BV421", "BV510") == spillover.fluorochromes
