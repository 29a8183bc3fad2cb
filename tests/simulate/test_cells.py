"""Cell types and panels: how they are written, and that they fit each other."""

from __future__ import annotations

import numpy as np
import pytest

from cytorecon.simulate import CELLS, PANELS
from cytorecon.simulate.cells import antigens
from cytorecon.simulate.panels import Stain, panel, spillover_matrix


def test_antigens__reads_levels_and_units() -> None:
    """Levels become units; the last of two statements stands; signs within a name are not levels."""
    expected = {"CD45": 45000.0, "HLA-DR": 32000.0, "CD38": 1500.0, "CD3": 2500.0}
    assert expected == antigens("CD45=45000 HLA-DR++ CD38lo CD3+ CD3=2500")


def test_antigens__refuses_a_marker_without_level() -> None:
    """A marker alone does not say whether it is there."""
    with pytest.raises(ValueError, match="'CD3' names no level: write lo, \\+"):
        antigens("CD45+ CD3")


def test_panel__reads_markers_that_report_other_antigens() -> None:
    """Two antibodies in one colour, and a dye under its trade name."""
    expected = (Stain("PE", ("CD16", "CD56"), "CD16+CD56"), Stain("PerCP-Cy5.5", ("viability",), "7-AAD"))
    assert expected == panel("CD16+CD56:PE 7-AAD=viability:PerCP-Cy5.5")


@pytest.mark.parametrize("name", PANELS)
def test_panels__report_antigens_that_some_cell_has(name: str) -> None:
    """No colour of a panel is used twice, and none is for an antigen that no cell type carries."""
    known = {antigen for cell in CELLS.values() for antigen in cell.antigens} | {"viability"}
    colours = [stain.fluorochrome for stain in PANELS[name]]
    assert len(set(colours)) == len(colours)
    assert set() == {antigen for stain in PANELS[name] for antigen in stain.antigens} - known


@pytest.mark.parametrize("name", PANELS)
def test_spillover_matrix__can_be_compensated(name: str) -> None:
    """Diagonal 1, no light is made, and the matrix is far from singular."""
    matrix = spillover_matrix([stain.fluorochrome for stain in PANELS[name]])
    assert (np.diag(matrix) == 1).all()
    assert ((matrix >= 0) & (matrix <= 1)).all()
    assert np.linalg.cond(matrix) < 10
