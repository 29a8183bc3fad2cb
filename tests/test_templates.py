"""The shipped templates: sound, complete, and right on simulated tubes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytorecon.fcs import Channel
from cytorecon.gating import GatedSample, PopulationCounts, gate_file
from cytorecon.interchange import load_template
from cytorecon.simulate import HARD_CASES, PANELS, TRUTH, SimulatedTube, simulate_tube
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
    below = "Singlets/Cells/Viable/Leukocytes/Lymphocytes/"
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


# In-control mixtures, and how well the shipped fixed cuts must find them. A tube without a viability dye also counts
# what is dead, and doublets of unlike area slip through: hence the lower bar.
BLOOD = {
    "CD4 T": 2600, "CD8 T": 1600, "DN T": 60, "gd T": 200, "DP T": 60, "NKT-like": 140, "B": 800, "NK dim": 720,
    "NK dim CD16-": 60, "NK bright": 80, "NK bright CD16+": 60, "NK CD56-": 60, "monocyte": 1200, "CD16+ monocyte": 60,
    "neutrophil": 11600, "eosinophil": 500, "basophil": 100,
}  # fmt: skip
MARROW = {
    "CD4 T": 1200, "CD8 T": 1500, "B": 200, "NK dim": 800, "NK bright": 500, "expanded NK": 800, "monocyte": 3000,
    "CD56+ monocyte": 600, "neutrophil": 9000, "eosinophil": 500, "basophil": 200, "pDC": 150, "erythroid": 6000,
    "progenitor": 1000, "promyelocyte": 5000, "hematogone I": 2000, "hematogone II": 6000, "plasma cell": 150,
}  # fmt: skip
IN_CONTROL: Mapping[str, tuple[Mapping[str, int], float]] = {
    "tbnk_6": (BLOOD, 0.97),
    "tbnk_8": (BLOOD, 0.97),
    "tbnk_10": (BLOOD, 0.98),
    "tbnk_11": (BLOOD, 0.98),
    "nk_product": (
        {"expanded NK": 15_000, "NKT-like": 300, "CD8 T": 150, "CD4 T": 90, "B": 60, "monocyte": 60, "feeder": 60},
        0.99,
    ),
    "graft": (
        {"neutrophil": 9000, "monocyte": 6000, "progenitor": 400, "NK dim": 900, "NK bright": 200, "B": 900,
         "CD4 T": 60, "CD8 T": 60, "gd T": 60, "red cell": 500}, 0.99,
    ),
    "mrd_aml": (MARROW | {"AML": 200, "AML shifted": 60}, 0.975),
    "mrd_aml_no_dye": (MARROW | {"AML": 200, "AML shifted": 60}, 0.975),
    "mrd_t_all": (MARROW | {"T-ALL": 200, "T-ALL CD7-": 60}, 0.975),
    "mrd_mpal": (MARROW | {"MPAL myeloid": 100, "MPAL T": 100, "MPAL B": 100}, 0.975),
}  # fmt: skip
# The lymphocyte gate is roomy on purpose, and what else it holds is "Other"; the trunk holds doublets and debris.
ROOMY = {"Cells", "Singlets", "Lymphocytes", "Other", "Other one colour", "NK clinical"}


def gated(tube: SimulatedTube, folder: Path, template: str, *, membership: bool = False) -> GatedSample:
    return gate_file(tube.write(folder / "tube.fcs"), load_template(template), membership=membership)


def by_name(sample: GatedSample) -> dict[str, PopulationCounts]:
    return {counts.name: counts for counts in sample.counts}


def f1(found: np.ndarray, true: np.ndarray) -> float:
    return float(2 * (found & true).sum() / (found.sum() + true.sum()))


@pytest.mark.parametrize("panel", IN_CONTROL)
def test_template__finds_every_population_of_an_in_control_tube(panel: str, tmp_path: Path) -> None:
    """Each measured population of 50 events or more agrees with the true labels, event by event."""
    mixture, bar = IN_CONTROL[panel]
    name = template_of(panel)
    tube = simulate_tube(mixture, panel, seed=21, beads=800 if "Beads" in TRUTH[name] else 0)
    sample = gated(tube, tmp_path, name, membership=True)
    truth = tube.truth(name)
    assert sample.membership is not None
    scores = {
        each.name: f1(sample.membership[each.path], truth[each.name])
        for each in sample.counts
        if each.status == "counted" and each.name in truth and truth[each.name].sum() >= 50
    }
    assert len(scores) >= 9
    assert {} == {name: score for name, score in scores.items() if score < (0.93 if name in ROOMY else bar)}


# What the fixed cuts count in each hard case, beyond the rule below: (population, lowest, highest) share of the truth.
# These are what the case is about; a person or a later check has to see them, and the figures are not hidden.
KNOWN: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "cd16_monocytes": {"NK clinical": (1.3, 1.5)},  # CD16+ monocytes count as NK where CD14 is not asked
    "cd56_negative_nk": {"NK clinical": (1.0, 1.08)},
    "abatacept": {"NK clinical": (1.0, 1.15)},
    "sample_of_72_hours": {"NK clinical": (1.0, 1.08)},
    "gd_dominant": {"NK clinical": (1.0, 1.12)},
    "dn_dominant": {"NK clinical": (1.0, 1.12)},
    "dp_t": {"NK clinical": (1.0, 1.12)},
    "nkt_rich": {"NK clinical": (1.0, 1.12)},
    "cd19_loss": {"NK clinical": (1.0, 1.12)},
    "failed_cd3": {"T cells": (0.0, 0.0), "NK clinical": (1.0, 1.12)},  # nothing in the tree can tell
    "bead_doublets": {"NK clinical one colour": (1.0, 1.08)},
    "unlysed_red_cells": {"NK clinical one colour": (1.0, 1.15)},
    "daratumumab": {"NK cells": (1.0, 1.25)},
    "gemtuzumab": {"NK cells": (1.5, 1.9), "MRD": (0.0, 0.1)},  # CD33 gone: monocytes join NK, the example LAIP fails
    "cd7_car_t": {"NK cells": (0.0, 0.0)},  # no CD7: the T-ALL tube cannot tell NK cells from granulocytes
    "laip_60_percent": {"MRD": (0.55, 0.7)},  # the phenotype's coverage, which a report has to state
}
LINEAGES = (
    "T cells", "B cells", "CD20 B cells", "NK cells", "NK clinical", "NK clinical CD14-", "NK clinical one colour",
    "MRD", "Nucleated", "CD45pos", "Beads",
)  # fmt: skip


@pytest.mark.parametrize("case", HARD_CASES)
def test_template__hard_case(case: str, tmp_path: Path) -> None:
    """Lineages of 50 events or more within 5 %, rarer ones within 5 events, unless the figure is stated above."""
    hard = HARD_CASES[case]
    tube = hard.simulate(seed=31, cells=15_000 if hard.template == "tbnk" else 40_000)
    truth = {name: int(mask.sum()) for name, mask in tube.truth(hard.template).items()}
    found = by_name(gated(tube, tmp_path, hard.template))
    known = KNOWN.get(case, {})
    wrong = {}
    for name in LINEAGES:
        if name not in found or found[name].status != "counted":
            continue
        count, true = found[name].event_count, truth[name]
        low, high = known.get(name, (0.95, 1.05))
        slack = 0 if true >= 50 else 5
        if not low * true - slack <= count <= high * true + slack:
            wrong[name] = (count, true)
    assert {} == wrong


def test_template__a_failed_cd3_shows_in_the_lymphosum(tmp_path: Path) -> None:
    """Without CD3 the T cells are neither T, B nor NK: the sum of the three falls far below 90 %."""
    found = by_name(gated(HARD_CASES["failed_cd3"].simulate(seed=32), tmp_path, "tbnk"))
    parts = sum(found[name].event_count for name in ("T cells", "B cells", "NK clinical"))
    assert parts / found["Lymphocytes"].event_count < 0.5


@pytest.mark.parametrize("template", ["mrd_aml", "mrd_t_all", "mrd_mpal"])
def test_template__none_found_is_zero_of_all_nucleated(template: str, tmp_path: Path) -> None:
    """Marrow without leukaemia: the MRD population is counted, near 0, of all nucleated cells."""
    mrd = by_name(gated(simulate_tube(MARROW, template, seed=33), tmp_path, template))["MRD"]
    assert "counted" == mrd.status
    assert mrd.event_count <= 2
    assert mrd.parent_count > 0.95 * sum(MARROW.values())


def test_template__without_dye_nucleated_is_not_measured_and_the_tree_goes_on(tmp_path: Path) -> None:
    """The trial's denominator is not invented where the tube has no dye; ELN's is there, and an estimate is marked."""
    sample = gated(HARD_CASES["erythroid_60_no_dye"].simulate(seed=34), tmp_path, "mrd_aml")
    found = by_name(sample)
    assert ("not_measured", -1) == (found["Nucleated"].status, found["Nucleated"].event_count)
    assert {"counted"} == {found[name].status for name in ("CD45pos", "MRD", "Nucleated estimate")}
    assert "" == found["Nucleated estimate"].role


def test_template__nk_cells_after_infusion_are_no_t_all(tmp_path: Path) -> None:
    """Marrow full of CD7+ NK cells with cytoplasmic CD3 gives no T-ALL."""
    tube = simulate_tube(MARROW | {"expanded NK": 20_000}, "mrd_t_all", seed=35)
    assert by_name(gated(tube, tmp_path, "mrd_t_all"))["MRD"].event_count <= 2


@pytest.mark.parametrize("panel", ["tbnk_6", "mrd_aml"])
def test_template__goes_on_without_the_height_channel(panel: str) -> None:
    """A file without FSC-H lacks only the exclusion of doublets, for cells and beads alike."""
    channels = [channel for channel in channels_of(panel) if channel.name != "FSC-H"]
    template = load_template(template_of(panel))
    lost = resolve(template, channels).not_measured - resolve(template, channels_of(panel)).not_measured
    assert {"Singlets"} == {path.rpartition("/")[2] for path in lost}


DRIFT: Mapping[str, Mapping[str, Any]] = {
    "gain x0.5": {"gain": 0.5},
    "gain x2": {"gain": 2.0},
    "titration x0.6": {"staining": dict.fromkeys(("CD3", "CD4", "CD8", "CD19", "CD16", "CD56", "CD45"), 0.6)},
}


@pytest.mark.parametrize("drift", DRIFT)
def test_template__survives_drift(drift: str, tmp_path: Path) -> None:
    """T, B, NK and CD8 within 5 % on an instrument or lot nobody tuned the cuts for."""
    wrong = {}
    blood = [("tbnk_6", "NK clinical one colour"), ("tbnk_10", "NK clinical CD14-")]
    for (panel, nk), seed in product(blood, (36, 37, 38)):
        tube = simulate_tube(BLOOD, panel, seed=seed, **DRIFT[drift])
        truth = tube.truth("tbnk")
        found = by_name(gated(tube, tmp_path, "tbnk"))
        for name in ("T cells", "B cells", "CD8 T cells", nk):
            true = int(truth[name].sum())
            if abs(found[name].event_count - true) > 0.05 * true:
                wrong[panel, seed, name] = found[name].event_count / true
    assert {} == wrong


@pytest.mark.parametrize("seed", range(5))
def test_template__survives_a_tenth_of_spill_error(seed: int, tmp_path: Path) -> None:
    """With the stated spillover off by 10 % T, B, NK and CD8 stay within 5 %.

    At 20 % one 6-colour tube in 15 loses most CD8 T cells to DP: CD45 light is left in the CD4 colour.
    """
    tube = simulate_tube(BLOOD, "tbnk_10", seed=seed, spill_error=0.1)
    found = by_name(gated(tube, tmp_path, "tbnk"))
    truth = tube.truth("tbnk")
    for name in ("T cells", "B cells", "CD8 T cells", "NK clinical CD14-"):
        assert pytest.approx(truth[name].sum(), rel=0.05) == found[name].event_count
