"""A patient's phenotypes over a shipped MRD template: the file, and the template with its slots filled."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytorecon.errors import TemplateError
from cytorecon.interchange import load_template
from cytorecon.template.laip import parse_laip, read_laip, with_laip

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


def test_parse_laip__reads_what_canonical_writes(write) -> None:
    """Through the document of a ledger and back, with and without a diagnostic sample."""
    found = read_laip(write())
    assert found == parse_laip(found.canonical)
    bare = found.model_copy(update={"diagnosis": None})
    assert bare == parse_laip(bare.canonical)
