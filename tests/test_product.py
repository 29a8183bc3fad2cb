"""NK dose, T-cell cap, release table and graft doses."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import CountError, ProtocolError
from cytorecon.gating import GatedSample, PopulationCounts
from cytorecon.interchange import load_template
from cytorecon.product import (
    GRAFT_NAMES,
    PRODUCT_NAMES,
    CellCounts,
    CellNumber,
    DoseRequest,
    cell_counts,
    graft_dose,
    plan_dose,
    read_dose,
    release_table,
)
from cytorecon.trial import read_protocol, to_mapping
from cytorecon.trial.reading import parse_model

PROTOCOL = read_protocol()
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "dose.toml"
FIRST: dict[str, Any] = {
    "level": 1,
    "infusion": 1,
    "weight_kg": 20,
    "weight": "actual",
    "nucleated_cells": 1_000_000_000,
    "cells_are": "viable",
    "volume_ml": 100,
    "t_limit_per_kg": "1.0e5/kg",
}


def request(**changes: Any) -> DoseRequest:
    return parse_model(DoseRequest, {**FIRST, **changes}, "dose.toml")


def product(nk: int = 8000, t56_minus: int = 10, t56_plus: int = 5, total: int = 10_000, **more: int) -> CellCounts:
    counts = {"total": total, "nk": nk, "t_cd56_negative": t56_minus, "t_cd56_positive": t56_plus, **more}
    return CellCounts(counts, "product_1.fcs")


def given_first(**changes: Any) -> list[dict[str, Any]]:
    first = {"infusion": 1, "sample": "product_0.fcs", "nk_per_kg": "6.667e6/kg", "t_upper_per_kg": "2.0e4/kg"}
    return [{**first, **changes}]


def test_plan_dose__by_hand() -> None:
    """1e9 viable cells, 80 % NK, 20 kg: 40e6 NK/kg; two thirds of 10e6/kg take a sixth of the 100 mL."""
    dose = plan_dose(product(), request(), PROTOCOL)
    assert (Fraction(20_000_000, 3), 40_000_000, "") == (dose.planned_per_kg, dose.available_per_kg, dose.limited_by)
    assert 100 / 6 == pytest.approx(dose.volume_ml)
    assert [(1, -12, Fraction(20_000_000, 3)), (2, 5, Fraction(10_000_000, 3))] == list(dose.split)


def test_plan_dose__t_cells_with_and_without_cd56_apart() -> None:
    """15 of 10,000 CD3+ beside 8,000 NK: 15/8000 of the NK dose, its parts apart, each with an exact interval."""
    dose = plan_dose(product(), request(), PROTOCOL)
    scale = 20e6 / 3 / 8000
    assert pytest.approx([15 * scale, 10 * scale, 5 * scale]) == [each.per_kg for each in dose.t_cells]
    assert all(each.low < each.per_kg < each.high for each in dose.t_cells)
    assert ["T (all CD3+)", "T CD56−", "T CD56+"] == [each.name for each in dose.t_cells]


def test_plan_dose__zero_t_cells_are_not_zero() -> None:
    """0 of 10,000 at 20e6 NK/kg (95 % NK) still allows 6.3e3 T/kg: that is the reference's figure."""
    dose = plan_dose(product(9500, 0, 0), request(level=3, t_limit_per_kg="1.0e5/kg"), PROTOCOL)
    assert 6.3e3 == pytest.approx(dose.t_upper_per_kg, rel=0.002)
    assert "< " in dose.t_cells[0].text


def test_plan_dose__two_sided_bound_is_wider() -> None:
    """The bound's kind is chosen and named."""
    one, two = (plan_dose(product(), request(bound=bound), PROTOCOL) for bound in ("one_sided", "two_sided"))
    assert one.t_upper_per_kg < two.t_upper_per_kg
    assert pytest.approx(two.t_cells[0].high) == two.t_upper_per_kg
    assert ("one-sided 95 %" in one.text, "two-sided 95 %" in two.text) == (True, True)


def test_plan_dose__the_t_limit_caps_the_dose() -> None:
    """At the cap the upper bound of all CD3+ equals the limit, and a person is asked."""
    dose = plan_dose(product(t56_plus=500), request(t_limit_per_kg="1.0e4/kg"), PROTOCOL)
    assert ("t_limit", True) == (dose.limited_by, dose.planned_per_kg < dose.target_per_kg)
    assert 10_000 == pytest.approx(dose.t_upper_per_kg)
    assert ["review"] == [finding.severity for finding in dose.findings]


def test_plan_dose__the_limit_is_cumulative_over_both_infusions() -> None:
    """What infusion 1 brought counts; the graft counts where the site states it; a spent limit leaves nothing."""
    second = {"infusion": 2, "given": given_first(), "t_limit_per_kg": "2.1e4/kg"}
    counts = product(t56_plus=500)
    left = plan_dose(counts, request(**second), PROTOCOL)
    assert (21_000, 1_000) == (pytest.approx(left.t_cumulative_per_kg), pytest.approx(left.t_upper_per_kg))
    spent = plan_dose(counts, request(**second, graft_t_per_kg="2.0e3/kg"), PROTOCOL)
    assert (0, "t_limit", 0) == (spent.planned_per_kg, spent.limited_by, spent.volume_ml)
    assert not spent.checks[1].passed


def test_plan_dose__limited_by_what_there_is() -> None:
    """A small product gives all it holds, and says so."""
    dose = plan_dose(product(), request(nucleated_cells=50_000_000), PROTOCOL)
    assert ("cells", 2_000_000, 100) == (dose.limited_by, dose.planned_per_kg, pytest.approx(dose.volume_ml))


def test_plan_dose__never_tops_up() -> None:
    """A first infusion that fell short leaves the second one's target alone, and its ratio fails the check."""
    dose = plan_dose(product(), request(infusion=2, given=given_first(nk_per_kg="4.0e6/kg")), PROTOCOL)
    assert Fraction(10_000_000, 3) == dose.planned_per_kg == dose.target_per_kg
    assert [("total", True), ("infusion 1 : 2", False)] == [(check.name, check.passed) for check in dose.checks]


@pytest.mark.parametrize(
    ("first", "total", "ratio"),
    [("6.667e6/kg", True, True), ("7.4e6/kg", False, False), ("6.1e6/kg", True, True), ("5.9e6/kg", True, False)],
)
def test_plan_dose__checks_total_and_two_to_one(first: str, total: bool, ratio: bool) -> None:
    """Rounded doses pass; more than the level fails, and so does a ratio outside ±10 % of 2:1."""
    dose = plan_dose(product(), request(infusion=2, given=given_first(nk_per_kg=first)), PROTOCOL)
    assert [total, ratio] == [check.passed for check in dose.checks]


def test_plan_dose__applies_viability_once() -> None:
    """Total cells are reduced to the viable ones; viable cells are not reduced again."""
    total = plan_dose(product(), request(cells_are="total", viability_percent=80), PROTOCOL)
    viable = plan_dose(product(), request(viability_percent=80), PROTOCOL)
    assert (32_000_000, 40_000_000) == (total.available_per_kg, viable.available_per_kg)
    assert viable.volume_ml == pytest.approx(total.volume_ml * 0.8)
    assert ("applied once" in total.text, "not applied" in viable.text) == (True, True)


@given(st.integers(1, 9000), st.integers(0, 500), st.integers(0, 500))
def test_plan_dose__keeps_every_limit(nk: int, t56_minus: int, t56_plus: int) -> None:
    """Never above the target, the product or the T-cell limit."""
    dose = plan_dose(product(nk, t56_minus, t56_plus), request(t_limit_per_kg="2.0e4/kg"), PROTOCOL)
    assert dose.planned_per_kg <= min(dose.target_per_kg, dose.available_per_kg)
    assert dose.t_upper_per_kg <= 20_000 * (1 + 1e-9)
    assert dose.nk.per_kg == pytest.approx(float(dose.planned_per_kg))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"t_limit_per_kg": 100_000}, 't_limit_per_kg: is not text; expected such as "1.0e7/kg"'),
        ({"viability_percent": "0,91"}, "looks like a fraction: write percent"),
        ({"weight": "bare"}, "weight: is none of the accepted values.*actual"),
        ({"weight_kg": "1,234"}, "decimal or a thousand"),
        ({"cells_are": "total"}, "state viability_percent"),
        ({"t_limit_per_kg": "100000"}, "not per kg"),
        ({"volume": 100}, "volume: is not a field"),
    ],
)
def test_read_dose__names_the_fault(changes: dict[str, Any], match: str) -> None:
    """Field, expected, remedy."""
    with pytest.raises(ProtocolError, match=match):
        request(**changes)


@pytest.mark.parametrize("name", ["t_limit_per_kg", "weight", "cells_are", "weight_kg", "volume_ml", "level"])
def test_read_dose__has_no_default_for_what_a_site_decides(name: str) -> None:
    """The T-cell limit above all: there is no default."""
    data = {key: value for key, value in FIRST.items() if key != name}
    with pytest.raises(ProtocolError, match=f"dose.toml: {name}: is missing"):
        parse_model(DoseRequest, data, "dose.toml")


def test_read_dose__reads_the_example() -> None:
    """The shipped example plans a second infusion."""
    counts = CellCounts({"total": 10_000, "nk": 9_500, "t_cd56_negative": 2, "t_cd56_positive": 9}, "product_2.fcs")
    dose = plan_dose(counts, read_dose(EXAMPLE), PROTOCOL)
    assert (2, "", [True, True]) == (dose.infusion, dose.limited_by, [check.passed for check in dose.checks])
    assert "Research use only" in to_mapping(dose)["lines"][-1]
    assert ["4", "26"] == [entry.number for entry in dose.ambiguities]


@pytest.mark.parametrize(
    ("counts", "changes", "error", "match"),
    [
        (product(nk=0), {}, CountError, "has no NK cell"),
        (product(), {"infusion": 2}, ProtocolError, "needs each earlier infusion once; expected 1, got none"),
        (product(), {"given": given_first()}, ProtocolError, "expected none, got 1"),
        (
            product(),
            {"infusion": 2, "given": given_first(sample="product_1.fcs")},
            ProtocolError,
            "each infusion is its own sample",
        ),
        (product(), {"level": 7}, ProtocolError, "no such dose level"),
        (CellCounts({"total": 10, "nk": 5, "t_cd56_positive": 0}, "p"), {}, CountError, "negative: was not measured"),
    ],
)  # fmt: skip
def test_plan_dose__refuses(counts: CellCounts, changes: dict[str, Any], error: type[Exception], match: str) -> None:
    """No dose without NK cells, T-cell counts, earlier infusions or an own sample."""
    with pytest.raises(error, match=match):
        plan_dose(counts, request(**changes), PROTOCOL)


@pytest.mark.parametrize(
    ("counts", "match"),
    [
        ({"total": 0, "nk": 0}, "no viable CD45"),
        ({"nk": 3}, "no viable CD45"),
        ({"total": 5, "nk": 6}, "nk: is no part"),
    ],
)
def test_cell_counts__have_to_be_parts(counts: dict[str, int], match: str) -> None:
    """0 of 0 is not evaluable, and a part is no larger than the whole."""
    with pytest.raises(CountError, match=match):
        CellCounts(counts, "p")


def populations(**counts: int | str) -> tuple[PopulationCounts, ...]:
    found = []
    for name, count in counts.items():
        shown = name.replace("_", " ").replace("minus", "-").replace("plus", "+")
        if isinstance(count, str):
            found.append(PopulationCounts(shown, shown, "", "", -1, -1, count))  # type: ignore[arg-type]
        else:
            found.append(PopulationCounts(shown, shown, "", "", count, 10_000, "counted"))
    return tuple(found)


GATED = populations(Singlets=12_000, Viable=11_000, CD45pos=10_000, NK_cells=9_000, T56minus=4, T56plus=6, B_cells=1)


def test_cell_counts__by_the_template_s_names() -> None:
    """The names of the shipped product template; an optional marker that is absent is left out."""
    counts = cell_counts((*GATED, *populations(Monocytes="not_measured")), sample="p.fcs")
    assert (9_000, 4, 6) == tuple(counts.counts[name] for name in ("nk", "t_cd56_negative", "t_cd56_positive"))
    assert ("monocytes" not in counts.counts, ()) == (True, counts.findings)


def test_cell_counts__of_a_gated_sample() -> None:
    """The file's name is the sample's; one that could not be gated gives no dose."""
    gated = GatedSample("p.fcs", "", 12_000, GATED, None, "nk_product", "1.0.0", "")
    assert "p.fcs" == cell_counts(gated).sample
    failed = GatedSample("p.fcs", "", 0, (), None, "nk_product", "1.0.0", "", error="no CD3")
    with pytest.raises(CountError, match=r"p.fcs: was not gated: no CD3"):
        cell_counts(failed)


def test_cell_counts__warns_without_viability_gate_and_of_review() -> None:
    """Dead cells in the fractions, and a population that awaits review, are findings of the dose."""
    review = PopulationCounts("NK cells", "NK cells", "", "", 9_000, 10_000, "needs_review")
    counts = cell_counts((*populations(CD45pos=10_000, T56minus=4, T56plus=6), review), sample="p")
    dose = plan_dose(counts, request(), PROTOCOL)
    assert ["population-needs-review", "viability-not-gated"] == [finding.code for finding in dose.findings]


def test_cell_counts__refuses_two_populations_of_one_name() -> None:
    """Which of them is meant is not guessed."""
    with pytest.raises(CountError, match="NK cells: is the name of two populations"):
        cell_counts((*GATED, *populations(NK_cells=3)), sample="p")


def test_release_table__site_limits_and_lines_to_fill_in() -> None:
    """Measured lines meet the site's limits; others wait for a person; none is invented."""
    limits = request(
        release={
            "viability": {"at_least": 70, "unit": "%"},
            "nk_percent": {"at_least": 95, "unit": "%"},
            "endotoxin": {"at_most": 5, "unit": "EU/mL", "result": "0,5"},
            "sterility": {"result": "no growth"},
            "mycoplasma": {"unit": ""},
        }
    ).release
    counts = cell_counts(GATED, sample="p")
    rows = {row.name: row.status for row in release_table(counts, limits, viability=70)}
    assert {
        "viability": "within",
        "viability_gated": "no limit",
        "nk_percent": "outside",
        "b_percent": "no limit",
        "endotoxin": "within",
        "sterility": "no limit",
        "mycoplasma": "to be filled in",
        "hla_identity": "to be filled in",
    } == rows


def test_plan_dose__shows_what_else_was_measured() -> None:
    """TCRαβ+ T cells per kg, and feeder cells of all viable ones, where the tube has their markers."""
    dose = plan_dose(product(t_tcr_ab=3, feeder=11, viable=11_000), request(), PROTOCOL)
    assert "T TCRαβ+" == dose.t_cells[-1].name
    assert ("feeder_percent", "0.1 %") in [(row.name, row.result) for row in dose.release]


def test_release_table__takes_the_upper_end_of_t_cells() -> None:
    """The T-cell line compares the interval's upper end, not the estimate."""
    limit = {"t_per_kg": {"at_most": 15_000, "unit": "/kg"}}
    dose = plan_dose(product(), request(release=limit), PROTOCOL)
    row = next(row for row in dose.release if row.name == "t_per_kg")
    assert ("outside", True) == (row.status, dose.t_cells[0].per_kg < 15_000 < dose.t_cells[0].high)


def test_graft_dose__per_kg() -> None:
    """1 % CD34+ of 10e9 cells for 20 kg is 5e6/kg; what was not measured is left out."""
    names = populations(CD45pos=100_000, T_cells=20, NK_cells=8_000)
    cd34 = PopulationCounts("CD34+", "CD34+", "", "", 1_000, 100_000, "counted")
    cells = parse_model(
        CellNumber, {"weight_kg": 20, "weight": "ideal", "nucleated_cells": 10**10, "cells_are": "viable"}, "graft"
    )
    doses = {dose.name: dose for dose in graft_dose(cell_counts((*names, cd34), GRAFT_NAMES, "g"), cells)}
    assert {"CD34+": 5e6, "CD3+": 1e5, "NK CD3−CD56+": 4e7} == {name: dose.per_kg for name, dose in doses.items()}
    assert doses["CD3+"].low < 1e5 < doses["CD3+"].high


@pytest.mark.parametrize(("template", "names"), [("nk_product", PRODUCT_NAMES), ("graft", GRAFT_NAMES)])
def test_names__are_those_of_the_shipped_templates(template: str, names: dict[str, str]) -> None:
    """Every name a dose looks for is a population of the template, once."""
    populations = [population.name for population in load_template(template).populations]
    assert dict.fromkeys(names.values(), 1) == {name: populations.count(name) for name in names.values()}
