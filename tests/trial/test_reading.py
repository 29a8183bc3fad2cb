"""Files that people write: every fault names its field and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytorecon.errors import ProtocolError
from cytorecon.trial import eligibility, read_case, read_protocol, to_mapping

from .cases import EXAMPLES, PROTOCOL, case


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "case.toml"
    path.write_text(text, encoding="utf-8")
    return path


MINIMAL = '[patient]\nid = "P"\n[disease]\nname = "AML"\n'


def test_read_case__reads_the_example() -> None:
    """The shipped example is a valid case."""
    assert "P01" == read_case(EXAMPLES / "case.toml").patient.id


def test_read_case__takes_almost_nothing(tmp_path: Path) -> None:
    """Everything but patient and disease may be unknown: the verdict is then undecided."""
    assert "undecided" == eligibility(read_case(written(tmp_path, MINIMAL)), PROTOCOL).verdict


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[disease]\nname = 'AML'\n", r"patient: is missing.*Write patient = …"),
        (MINIMAL + "[hart]\nlvef = 1\n", r"hart: is not a field of this table.*spelling"),
        (MINIMAL + "[performance]\nscale = 'ECOG'\nscore = 1\n", r"performance.scale: is none of .*'lansky' or 'karn"),
        (MINIMAL + "[heart]\nlvef = { value = 0.55, unit = '%' }\n", "looks like a fraction: write 55.00"),
        (MINIMAL + "[heart]\nlvef = { value = '1,234', unit = '%' }\n", "may be a decimal or a thousand"),
        (MINIMAL + "[heart]\nlvef = 55\n", "heart.lvef"),
        (MINIMAL + "[dates]\nscreening = '2026-01-02'\n", "Write a date as 2025-06-30, without quotes"),
        (MINIMAL + "[heart]\nlvef = { value = 0,55, unit = '%' }\n", "is not TOML.*decimal comma needs quotes"),
        (MINIMAL.replace('id = "P"', 'id = "P"\nage = "0 years"'), "write months"),
        (MINIMAL.replace('id = "P"', 'id = "P"\nage = "young"'), "is no span"),
        (MINIMAL + "[disease.induction]\nregimens = 2\ncomplete_remission = false\n", "definition: is missing"),
        (MINIMAL + "[decisions.I1]\nanswer = 'met'\non = 2026-01-01\nreason = 'x'\n", "decisions.I1.by: is missing"),
        (MINIMAL + "[grades.cns_disorder]\ngrade = 1\n", "grades.cns_disorder.scale: is missing"),
        (MINIMAL + "[[infusion]]\nnumber = 1\non = 2026-01-01\n" * 2, "two infusions carry one number"),
        (
            MINIMAL + "[lung]\ncan_perform = false\npercent_predicted = { value = 60, unit = '%' }\n",
            "given although can_perform is false",
        ),
    ],
)  # fmt: skip
def test_read_case__names_the_fault(tmp_path: Path, text: str, match: str) -> None:
    """Field, what was expected, what was found, what to write."""
    with pytest.raises(ProtocolError, match=match):
        read_case(written(tmp_path, text))


def test_read_case__names_a_missing_file(tmp_path: Path) -> None:
    """No traceback for a wrong path."""
    with pytest.raises(ProtocolError, match="cannot be read"):
        read_case(tmp_path / "none.toml")


def test_read_case__refuses_other_encodings(tmp_path: Path) -> None:
    """Cyrillic in another code page is not guessed."""
    path = tmp_path / "case.toml"
    path.write_bytes("name = 'х'".encode("cp1251"))
    with pytest.raises(ProtocolError, match="is not UTF-8"):
        read_case(path)


def test_read_protocol__names_the_shipped_ones() -> None:
    """A wrong name lists the right ones."""
    with pytest.raises(ProtocolError, match="is no shipped protocol; expected nct07256210"):
        read_protocol("nct0")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('share = "1/3"', 'share = "1/4"', "do not add up to 1"),
        ('total = "1.0e7/kg"', 'total = "1.0e6/kg"', "total is 1.0e6/kg but the record's text reads 1.0e7/kg"),
        ('fact = "heart.lvef"', 'fact = "heart.rate"', "fact: is nothing a case file can state"),
        ('id = "I3"', 'id = "I4"', "rule ids occur twice: I4"),
        ("at_least = 40", "at_least = 40\nat_most = 50", "exactly one of at_least"),
        ('kind = "performance"', 'kind = "magic"', "inclusion.5.*'magic'"),
        ('formula = "bedside_schwartz_2009"', 'formula = "ckd_epi"', "is unknown; expected bedside_schwartz_2009"),
    ],
)
def test_read_protocol__refuses_an_unsound_file(tmp_path: Path, old: str, new: str, match: str) -> None:
    """A protocol that contradicts itself is not read."""
    from cytorecon.trial.protocol import PROTOCOLS

    text = (PROTOCOLS / "nct07256210.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "other.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProtocolError, match=match):
        read_protocol(path)


def test_to_mapping__is_json() -> None:
    """A verdict goes through JSON unchanged, with its lines."""
    import json

    mapping = to_mapping(eligibility(case(), PROTOCOL))
    assert mapping == json.loads(json.dumps(mapping))
    assert "Research use only" in mapping["lines"][-1]
    assert "NCT07256210" == json.loads(json.dumps(to_mapping(PROTOCOL)))["id"]
