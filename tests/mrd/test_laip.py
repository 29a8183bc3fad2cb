"""A patient's phenotypes over a shipped MRD template."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytorecon.errors import TemplateError
from cytorecon.interchange import load_template
from cytorecon.mrd import mrd_call
from cytorecon.mrd.laip import gate_with_laip, read_laip, with_laip
from cytorecon.simulate.hard import REGENERATING_MARROW, counts_of
from cytorecon.simulate.tube import simulate_tube

TEXT = """
patient = "P07"
template = "mrd_aml"
coverage = 0.85

[diagnosis]
file = "P07_diagnosis.fcs"
date = 2025-06-02
blast_percent = 62.0

[controls]
lob = 0.00001
samples = "12 marrows"

[[laip]]
slot = "LAIP_2"
phenotype = "CD33+ CD56+"
comment = "gained CD56"
"""


@pytest.fixture
def write(tmp_path: Path):
    """Write a LAIP file and return its path."""

    def written(text: str = TEXT) -> Path:
        path = tmp_path / "P07.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_read_laip__keeps_where_the_phenotypes_come_from(write) -> None:
    """Diagnostic sample, coverage and background of the controls."""
    found = read_laip(write())
    assert found.diagnosis is not None
    assert ("P07", "P07_diagnosis.fcs", 0.85) == (found.patient, found.diagnosis.file, found.coverage)


def test_limits__of_the_controls_go_into_the_call(write) -> None:
    """The background of the patient's phenotypes establishes specificity; without controls there is none."""
    found = read_laip(write())
    called = mrd_call(5, 500_000, "mpal", "nucleated", limits=found.limits, laip_coverage=found.coverage)
    assert not called.needs_review
    assert "limit of blank 5 events" in called.text
    assert read_laip(write(TEXT.replace('[controls]\nlob = 0.00001\nsamples = "12 marrows"\n', ""))).limits is None


def test_read_laip__hash_is_of_the_content(write) -> None:
    """Layout does not change the hash, a phenotype does."""
    plain = read_laip(write()).sha256
    assert plain == read_laip(write(TEXT.replace(" = ", "   =  "))).sha256
    assert plain != read_laip(write(TEXT.replace("CD56+", "CD7+"))).sha256


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("patient =", "person =", r"P07\.toml: lacks 'patient'|P07\.toml: has an unknown key 'person'"),
        ("coverage = 0.85", "coverage = 85", "'coverage' has a wrong value"),
        ('phenotype = "CD33+ CD56+"', "", "lacks 'phenotype'"),
        ("[diagnosis]", "[diagnosis", "cannot be read; expected TOML in UTF-8"),
    ],
)
def test_read_laip__names_what_is_wrong(write, old: str, new: str, message: str) -> None:
    """File and field."""
    with pytest.raises(TemplateError, match=message):
        read_laip(write(TEXT.replace(old, new)))


def test_read_laip__refuses_a_file_that_is_too_large(write) -> None:
    """A LAIP file is small."""
    with pytest.raises(TemplateError, match="is too large for a LAIP file"):
        read_laip(write(TEXT + "#" * 2**20))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mrd_aml", "mrd_t_all", "is for another template; expected mrd_aml, got mrd_t_all"),
        ("LAIP_2", "LAIP_9", "names no slot of mrd_aml; expected LAIP_1 or LAIP_2 or LAIP_3, got LAIP_9"),
        ("CD33+ CD56+", "CD33+ CD99+", "CD99"),
        ("CD33+ CD56+", "CD33 and CD56", "LAIP file, slot LAIP_2"),
        ("[[laip]]", '[[laip]]\nslot = "LAIP_2"\nphenotype = "CD7+"\n[[laip]]', "names a slot twice"),
    ],
)
def test_with_laip__refuses(write, old: str, new: str, message: str) -> None:
    """What the template cannot count is an error that says what it can."""
    with pytest.raises(TemplateError, match=message):
        with_laip(load_template("mrd_aml"), read_laip(write(TEXT.replace(old, new))))


def test_with_laip__refuses_a_template_without_slots(write) -> None:
    """A template of lymphocyte subsets has no place for a leukaemic phenotype."""
    with pytest.raises(TemplateError, match="has no slots for a patient's phenotypes"):
        with_laip(load_template("tbnk"), read_laip(write(TEXT.replace("mrd_aml", "tbnk"))))


def test_gate_with_laip__counts_the_patients_phenotype_in_the_templates_tree(write, tmp_path: Path) -> None:
    """Blasts that gained CD56 are found by their slot, the others not measured; hash and paths are the template's."""
    template, laip = load_template("mrd_aml"), read_laip(write())
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
