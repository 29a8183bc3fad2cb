"""The catalogue of codes, and that the document shows all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cytorecon.fcs import DEVIATIONS, REFUSALS
from cytorecon.fcs.findings import finding, refusal
from fcs.document import tables

DOCUMENT = Path(__file__).parents[2] / "docs" / "fcs.md"


@pytest.mark.parametrize("code", [*DEVIATIONS, *REFUSALS])
def test_codes__are_stable_names(code: str) -> None:
    """Lower case, digits and hyphens; never both a finding and an error."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
    assert (code in DEVIATIONS) != (code in REFUSALS)


def test_finding__says_what_was_found_and_assumed() -> None:
    """One sentence, with the detail in it."""
    found = finding("end-exclusive", "DATA", "byte 99")
    assert "the end of DATA is one too large (byte 99); the byte at the end is not DATA." == found.message


def test_refusal__says_where_expected_and_got() -> None:
    """The parts of the message in the order a person needs them."""
    error = refusal("pnb-unsupported", "tube.fcs", "$P1B", expected="8", got="7", remedy="Export again.")
    assert "tube.fcs, $P1B: the field width cannot be decoded; expected 8, got 7. Export again." == str(error)


@pytest.mark.parametrize("name", ["findings", "errors"])
def test_document__shows_the_catalogue(name: str) -> None:
    """docs/fcs.md has the tables that the code generates: run ``python -m fcs.document`` in tests/ to renew them."""
    assert tables()[name] in DOCUMENT.read_text("utf-8")


def test_document__shows_the_real_files(shared: Path) -> None:
    """The table of real files in docs/fcs.md is what reading them gives."""
    assert tables(shared)["files"] in DOCUMENT.read_text("utf-8")
