"""Every rule of reading FCS, a file each: exact, exact with these findings, or this error. Nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytorecon.errors import FcsError
from cytorecon.fcs import DEVIATIONS, REFUSALS, Events, read_fcs
from fcs.cases import Case, all_cases

CASES = all_cases()
EXACT = [case for case in CASES if case.values is not None]
REFUSED = [case for case in CASES if case.values is None]


def read(case: Case, folder: Path) -> Events:
    path = folder / "tube.fcs"
    path.write_bytes(case.content)
    return read_fcs(path, case.dataset)


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return (
        one.shape == other.shape
        and one.dtype == other.dtype
        and bool((np.isnan(one) & np.isnan(other) | (one == other) & (np.signbit(one) == np.signbit(other))).all())
    )


def test_cases__cover_every_code_and_are_enough() -> None:
    """There are at least 250 cases, and each code of the table is met in one."""
    met = {code for case in CASES for code in case.findings} | {case.code for case in CASES}
    elsewhere = {"file-unreadable", "file-changed"}
    assert set(DEVIATIONS) | set(REFUSALS) == (met - {""}) | elsewhere
    assert len(CASES) >= 250


@pytest.mark.parametrize("case", EXACT, ids=lambda case: case.name)
def test_read_fcs__gives_exact_values_and_findings(case: Case, tmp_path: Path) -> None:
    """The events are those written, to the bit, and every deviation is named."""
    events = read(case, tmp_path)
    values = events.array()
    for _ in events.blocks(2, digest=True):
        pass
    assert case.values is not None
    assert same_bits(case.values, values), values
    assert case.findings == {found.code for found in events.findings}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_read_fcs__refuses_clearly(case: Case, tmp_path: Path) -> None:
    """A file that could be read only by guessing is an error that names the file and the situation."""
    with pytest.raises(FcsError, match=r"^tube\.fcs") as caught:
        read(case, tmp_path).array()
    assert case.code == caught.value.code, caught.value
    assert len(str(caught.value)) < 1000
