"""The shipped templates: sound, complete, and right on simulated tubes."""

from __future__ import annotations

import re

import pytest

from cytorecon.fcs import Channel
from cytorecon.interchange import load_template
from cytorecon.simulate import PANELS, TRUTH, simulate_tube
from cytorecon.template import resolve

TEMPLATES = ("tbnk", "nk_product", "graft", "mrd_aml", "mrd_t_all", "mrd_mpal")
ROLES = {
    "tbnk": {"beads", "leukocytes", "lymphocytes"},
    "nk_product": {"beads", "leukocytes"},
    "graft": {"beads", "leukocytes"},
    "mrd_aml": {"nucleated", "cd45", "blasts", "mrd"},
    "mrd_t_all": {"nucleated", "cd45", "blasts", "mrd"},
    "mrd_mpal": {"nucleated", "cd45", "blasts", "mrd"},
}
# Verified in the Cell Ontology by their labels.
CELL_ONTOLOGY = {
    "CL:0000084", "CL:0000236", "CL:0000542", "CL:0000576", "CL:0000623", "CL:0000624", "CL:0000625", "CL:0000738",
    "CL:0000767", "CL:0000784", "CL:0000786", "CL:0000798", "CL:0000938", "CL:0000939", "CL:0002242", "CL:0008001",
}  # fmt: skip


def template_of(panel: str) -> str:
    return "tbnk" if panel.startswith("tbnk") else panel.removesuffix("_no_dye")


def channels_of(panel: str) -> list[Channel]:
    channels = simulate_tube({}, panel).channels
    return [Channel(index, name, marker, 32, 262_144.0) for index, (name, marker) in enumerate(channels)]


@pytest.mark.parametrize("name", TEMPLATES)
def test_template__has_its_roles_once(name: str) -> None:
    """Denominators and numerator are found by role, so each role is there exactly once."""
    roles = [population.role for population in load_template(name).populations if population.role]
    assert sorted(ROLES[name]) == sorted(roles)


@pytest.mark.parametrize("name", TEMPLATES)
def test_template__names_are_unique_and_the_truth_knows_them(name: str) -> None:
    """A population's name alone identifies it, and what the simulator knows of it is spelled the same."""
    names = [population.name for population in load_template(name).populations]
    assert len(set(names)) == len(names)
    assert set() == set(TRUTH[name]) - set(names)


@pytest.mark.parametrize("name", TEMPLATES)
def test_template__has_reference_and_verified_identifiers(name: str) -> None:
    """Title, reference and version are there; Cell Ontology and LOINC identifiers are among those verified."""
    template = load_template(name)
    assert template.title
    assert template.reference
    assert re.fullmatch(r"\d+\.\d+\.\d+", template.version)
    for population in template.populations:
        assert population.cell_ontology in CELL_ONTOLOGY | {""}
        assert population.loinc in {"", "8122-4", "24467-3", "14135-8"}


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name.startswith("mrd")])
def test_template__mrd_says_that_it_is_not_validated(name: str) -> None:
    """Who prints the title prints the caveat."""
    assert "not validated on patient data" in load_template(name).title


@pytest.mark.parametrize("panel", PANELS)
def test_template__fits_every_panel_it_is_for(panel: str) -> None:
    """All simulated tubes resolve; what a tube lacks is optional."""
    assert resolve(load_template(template_of(panel)), channels_of(panel)).channels


def test_template__nk_of_two_definitions_stay_apart() -> None:
    """CD3-CD56+ is not measured where CD16 and CD56 share a colour, and the other way round."""
    template = load_template("tbnk")
    below = "Cells/Singlets/Viable/Leukocytes/Lymphocytes/"
    six, ten = (resolve(template, channels_of(panel)).not_measured for panel in ("tbnk_6", "tbnk_10"))
    assert {below + "NK cells", below + "NK clinical"} <= six - ten
    assert {below + "NK clinical one colour"} == {path for path in ten - six if "NK" in path}


@pytest.mark.parametrize(
    ("marker", "spelling"),
    [("HLA-DR", "HLADR"), ("HLA-DR", "hla dr"), ("CD16+CD56", "CD16/CD56"), ("CD56", "NCAM"), ("CD8", "CD8a")],
)
def test_template__reads_common_spellings(marker: str, spelling: str) -> None:
    """A laboratory's way of writing a marker changes nothing."""
    template = load_template("tbnk")
    panel = "tbnk_6" if "+" in marker else "tbnk_10"
    usual = channels_of(panel)
    respelled = [Channel(c.index, c.name, spelling if c.marker == marker else c.marker, c.bits, c.range) for c in usual]
    assert resolve(template, usual).not_measured == resolve(template, respelled).not_measured
