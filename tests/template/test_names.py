"""How names are compared and joined to paths."""

from __future__ import annotations

import pytest

from cytorecon.errors import TemplateError
from cytorecon.template.names import check_name, fold, is_linear_by_nature, path_of


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("HLA-DR", "HLADR", True),
        ("HLA DR", "hla_dr", True),
        ("PerCP-Cy5.5-A", "PerCP-Cy5-5-A", True),
        ("CD16+56", "CD1656", False),
        ("CD16+56", "CD16/56", False),
        ("CD3", "CD38", False),
        ("CD4-PE", "CD4", False),
    ],
)
def test_fold__ignores_case_and_separators_only(left: str, right: str, same: bool) -> None:
    """Blank, dash, underscore, dot and case do not count; everything else does."""
    assert same == (fold(left) == fold(right))


@pytest.mark.parametrize("name", ["FSC-A", "fsc_h", "SSC-W", "Time", "TIME", "FS INT", "SS Lin", "SSC-B-A", "HDR-T"])
def test_is_linear_by_nature__scatter_and_time(name: str) -> None:
    """Scatter and time by the names of several makers."""
    assert is_linear_by_nature(name)


@pytest.mark.parametrize("name", ["CD3", "SSEA-4", "FSP1", "TIM-3", "FITC-A", "SS18", "TimeSaver"])
def test_is_linear_by_nature__markers(name: str) -> None:
    """Markers that only begin like them."""
    assert not is_linear_by_nature(name)


def test_path_of__slash() -> None:
    """A slash inside a name is %2F; the root is left out."""
    assert ("T/CD4%2FCD8", "T") == (path_of("T", "CD4/CD8"), path_of("", "T"))


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x00", "x" * 201])
def test_check_name__refuses(name: str) -> None:
    """A name that no report or path could carry."""
    with pytest.raises(TemplateError, match="a name cannot be used; expected 1 to 200 printable characters"):
        check_name(name, "population")


def test_check_name__accepts_a_dot() -> None:
    """FlowJo users do call gates so."""
    check_name(".", "population")
