"""The extended T, B and NK templates: sound, sharing one trunk, and right where simulated cells tell."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from cytorecon.fcs import Channel
from cytorecon.gating import gate_file
from cytorecon.interchange import load_template
from cytorecon.simulate import simulate_tube
from cytorecon.template import resolve

TEMPLATES = {
    "t_extended": ("CD45", "CD3", "CD4", "CD8"),
    "b_extended": ("CD45", "CD3", "CD19"),
    "nk_extended": ("CD45", "CD3", "CD19", "CD56", "CD16"),
}
# Each looked up by its label in the Cell Ontology.
CELL_ONTOLOGY = {
    "CL:0000084", "CL:0000236", "CL:0000542", "CL:0000623", "CL:0000624", "CL:0000625", "CL:0000738", "CL:0000788",
    "CL:0000789", "CL:0000792", "CL:0000798", "CL:0000818", "CL:0000895", "CL:0000900", "CL:0000904", "CL:0000905",
    "CL:0000907", "CL:0000913", "CL:0000938", "CL:0000939", "CL:0000970", "CL:0000972", "CL:0000980", "CL:0001062",
}  # fmt: skip


def channels(markers: tuple[str, ...]) -> list[Channel]:
    names = [("FSC-A", ""), ("FSC-H", ""), ("SSC-A", ""), *((f"{marker}-A", marker) for marker in markers)]
    return [Channel(index, name, marker, 32, 262_144.0) for index, (name, marker) in enumerate(names)]


@pytest.mark.parametrize("name", TEMPLATES)
def test_template__resolves_in_the_smallest_and_in_the_full_tube(name: str) -> None:
    """Beyond the lineage every marker is optional; with all of them nothing is left unmeasured."""
    template = load_template(name)
    small = resolve(template, channels(TEMPLATES[name]))
    full = resolve(template, channels(tuple(template.markers)))
    assert {"Singlets/Cells/Viable/Leukocytes/Lymphocytes"} <= template.by_path.keys() - small.not_measured
    assert frozenset() == full.not_measured


@pytest.mark.parametrize("name", TEMPLATES)
def test_template__every_population_is_documented(name: str) -> None:
    """Below the trunk each has a reference; identifiers are verified ones; names are unique."""
    template = load_template(name)
    names = [population.name for population in template.populations]
    assert len(set(names)) == len(names)
    assert template.title
    assert template.reference
    assert re.fullmatch(r"\d+\.\d+\.\d+", template.version)
    for population in template.populations:
        assert population.cell_ontology in CELL_ONTOLOGY | {""}
        if "Lymphocytes/" in population.path:
            assert population.reference


@pytest.mark.parametrize(
    ("name", "panel", "populations"),
    [
        ("t_extended", "tbnk_10", ("T cells", "CD4 T cells", "CD8 T cells")),
        ("b_extended", "tbnk_11", ("T cells", "B cells")),
        ("nk_extended", "tbnk_10", ("NK cells", "CD56bright CD16-", "CD56dim CD16+")),
    ],
)
def test_template__agrees_with_simulated_cells(
    name: str, panel: str, populations: tuple[str, ...], tmp_path: Path
) -> None:
    """What a simulated blood tube can tell is counted within 5 %."""
    mixture = {
        "CD4 T": 2600,
        "CD8 T": 1600,
        "B": 800,
        "NK dim": 900,
        "NK bright": 200,
        "monocyte": 1200,
        "neutrophil": 9000,
    }
    tube = simulate_tube(mixture, panel, seed=4)
    truth = tube.truth("tbnk")
    found = {one.name: one for one in gate_file(tube.write(tmp_path / "tube.fcs"), load_template(name)).counts}
    for population in populations:
        if population in found:
            assert found[population].event_count == pytest.approx(np.count_nonzero(truth[population]), rel=0.05)
