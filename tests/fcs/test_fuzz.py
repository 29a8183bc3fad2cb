"""A share of the fuzzing, with a fixed seed; ``make fuzz`` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fcs.files import make
from fcs.fuzz import check, run

# Finds of earlier runs, each a file that once ended otherwise than in one of the three endings.
REGRESSIONS: dict[str, tuple[bytes, str]] = {
    "FCS 2.0 with $BEGINDATA but no $ENDDATA": (make({"$ENDDATA": None}, version="2.0"), "findings"),
    "FCS 2.0 with $BEGINSTEXT but no $ENDSTEXT": (make({"$ENDSTEXT": None}, version="2.0"), "findings"),
    "a signalling NaN": (make(rows=b"\x01\x00\x80\x7f" * 6), "findings"),
    "a value that begins with a delimiter": (make({"VENDOR": "//a"}), "findings"),
}


def test_read_fcs__survives_5000_mutations() -> None:
    """No exception but FcsError, nothing slow or large, and nothing read in silence that is not strict FCS."""
    assert sum(run(5000, fixed=True).values()) >= 5000


@pytest.mark.parametrize("name", REGRESSIONS)
def test_read_fcs__ends_as_it_should_on_earlier_finds(name: str, tmp_path: Path) -> None:
    """What a fuzzer found once stays mended."""
    content, ending = REGRESSIONS[name]
    assert ending == check(content, tmp_path / "tube.fcs")
