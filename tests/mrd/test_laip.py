"""A file gated by its patient's phenotypes."""

from __future__ import annotations

from pathlib import Path

from laip_text import LAIP

from cytorecon.interchange import load_template
from cytorecon.mrd import mrd_call
from cytorecon.mrd.laip import gate_with_laip, limits_of, read_laip
from cytorecon.simulate.hard import REGENERATING_MARROW, counts_of
from cytorecon.simulate.tube import simulate_tube


def test_limits__of_the_controls_go_into_the_call(write_laip) -> None:
    """The background of the patient's phenotypes establishes specificity; without controls there is none."""
    found = read_laip(write_laip())
    called = mrd_call(5, 500_000, "mpal", "nucleated", limits=limits_of(found), laip_coverage=found.coverage)
    assert not called.needs_review
    assert "limit of blank 5 events" in called.text
    assert (
        limits_of(read_laip(write_laip(LAIP.replace('[controls]\nlob = 0.00001\nsamples = "12 marrows"\n', ""))))
        is None
    )


def test_gate_with_laip__counts_the_patients_phenotype_in_the_templates_tree(write_laip, tmp_path: Path) -> None:
    """Blasts that gained CD56 are found by their slot, the others not measured; hash and paths are the template's."""
    template, laip = load_template("mrd_aml"), read_laip(write_laip())
    cells = counts_of(REGENERATING_MARROW, 5000) | {"AML shifted": 60, "AML": 40}
    tube = simulate_tube(cells, "mrd_aml", seed=4, doublets=0, dead=0, margin=0)
    found = gate_with_laip(tube.write(tmp_path / "tube.fcs"), template, laip)
    by_name = {counts.name: counts for counts in found.counts}
    assert [population.path for population in template.populations] == [counts.path for counts in found.counts]
    assert template.sha256 == found.template_sha256
    assert ("not_measured", -1) == (by_name["LAIP_1"].status, by_name["LAIP_1"].event_count)
    assert by_name["LAIP_2"].event_count == by_name["MRD"].event_count
    assert 57 <= by_name["MRD"].event_count <= 63
    assert laip.sha256 in found.findings[-1].message
    assert "P07" not in found.findings[-1].message
