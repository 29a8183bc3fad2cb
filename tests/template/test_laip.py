"""A patient's phenotypes over a shipped MRD template: the file, and the template with its slots filled."""

from __future__ import annotations

import pytest
from laip_text import LAIP

from cytorecon.errors import TemplateError
from cytorecon.interchange import load_template
from cytorecon.template.laip import parse_laip, read_laip, with_laip


def test_read_laip__keeps_where_the_phenotypes_come_from(write_laip) -> None:
    """Diagnostic sample, coverage and background of the controls."""
    found = read_laip(write_laip())
    assert found.diagnosis is not None
    assert ("P07", "P07_diagnosis.fcs", 0.85) == (found.patient, found.diagnosis.file, found.coverage)


def test_read_laip__hash_is_of_the_content(write_laip) -> None:
    """Layout does not change the hash, a phenotype does."""
    plain = read_laip(write_laip()).sha256
    assert plain == read_laip(write_laip(LAIP.replace(" = ", "   =  "))).sha256
    assert plain != read_laip(write_laip(LAIP.replace("CD56+", "CD7+"))).sha256


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("patient =", "person =", r"P07\.toml: lacks 'patient'|P07\.toml: has an unknown key 'person'"),
        ("coverage = 0.85", "coverage = 85", "'coverage' has a wrong value"),
        ('phenotype = "CD33+ CD56+"', "", "lacks 'phenotype'"),
        ("[diagnosis]", "[diagnosis", "cannot be read; expected TOML in UTF-8"),
    ],
)
def test_read_laip__names_what_is_wrong(write_laip, old: str, new: str, message: str) -> None:
    """File and field."""
    with pytest.raises(TemplateError, match=message):
        read_laip(write_laip(LAIP.replace(old, new)))


def test_read_laip__refuses_a_file_that_is_too_large(write_laip) -> None:
    """A LAIP file is small."""
    with pytest.raises(TemplateError, match="is too large for a LAIP file"):
        read_laip(write_laip(LAIP + "#" * 2**20))


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
def test_with_laip__refuses(write_laip, old: str, new: str, message: str) -> None:
    """What the template cannot count is an error that says what it can."""
    with pytest.raises(TemplateError, match=message):
        with_laip(load_template("mrd_aml"), read_laip(write_laip(LAIP.replace(old, new))))


def test_with_laip__refuses_a_template_without_slots(write_laip) -> None:
    """A template of lymphocyte subsets has no place for a leukaemic phenotype."""
    with pytest.raises(TemplateError, match="has no slots for a patient's phenotypes"):
        with_laip(load_template("tbnk"), read_laip(write_laip(LAIP.replace("mrd_aml", "tbnk"))))


def test_parse_laip__reads_what_canonical_writes(write_laip) -> None:
    """Through the document of a ledger and back, with and without a diagnostic sample."""
    found = read_laip(write_laip())
    assert found == parse_laip(found.canonical)
    bare = found.model_copy(update={"diagnosis": None})
    assert bare == parse_laip(bare.canonical)
