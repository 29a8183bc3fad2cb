"""Checks on counts: each speaks above its limit, with the number, and is silent below."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cytorecon.errors import TemplateError
from cytorecon.gating import GatedSample, PopulationCounts
from cytorecon.quality import check_sample, levey_jennings
from cytorecon.template import GatingTemplate, parse_template

HEAD = 'name = "t"\nversion = "1"\n[cutpoint]\nCD3 = { at = 0.5 }\n[[population]]\nname = "T"\nphenotype = "CD3+"\n'
LYMPHOSUM = 'lymphosum = { parts = ["T", "B", "NK CD14-|NK"], of = "Lymphocytes", warn = 5, fail = 10 }'


def template(checks: str) -> GatingTemplate:
    return parse_template(HEAD + f"[quality]\n{checks}\n")


def sample(**counts: int) -> GatedSample:
    rows = tuple(
        PopulationCounts(name, name, "", "", count, 1000, "counted" if count >= 0 else "not_measured")
        for name, count in counts.items()
    )
    return GatedSample("f.fcs", "", 1000, rows, None, "t", "1", "")


def found(gated: GatedSample, checks: str) -> dict[str, tuple[str, str]]:
    findings = check_sample(gated, template(checks)).findings
    return {one.code: (one.severity, one.message) for one in findings}


@pytest.mark.parametrize(
    ("nk", "severity"), [(300, None), (260, None), (240, "warning"), (201, "warning"), (199, "review"), (420, "review")]
)
def test_lymphosum__warns_at_5_and_fails_at_10(nk: int, severity: str | None) -> None:
    """The number and the limit are in the message."""
    findings = found(sample(T=500, B=200, NK=nk, Lymphocytes=1000), LYMPHOSUM)
    if severity is None:
        assert {} == findings
    else:
        assert severity == findings["lymphosum"][0]
        assert f"{(700 + nk) / 10:.1f} % of lymphocytes (limit 100 ± " in findings["lymphosum"][1]


def test_lymphosum__takes_the_first_definition_that_is_measured() -> None:
    """NK cells without CD14 where the tube has it, all others where it has not; nothing if a part is missing."""
    counts = {"T": 500, "B": 200, "NK": 900, "Lymphocytes": 1000}
    with_cd14 = sample(**counts, **{"NK CD14-": 300})
    assert {} == found(with_cd14, LYMPHOSUM)
    assert "lymphosum" in found(sample(**counts), LYMPHOSUM)
    assert {} == found(sample(T=500, B=-1, NK=900, Lymphocytes=1000), LYMPHOSUM)


def test_cd4_cd8__is_for_information() -> None:
    """DN and DP cells break the sum after transplantation: nobody is sent to look."""
    checks = 'cd4_cd8 = { parts = ["CD4", "CD8"], of = "T", warn = 10 }'
    assert "info" == found(sample(CD4=300, CD8=300, T=1000), checks)["cd4-cd8-sum"][0]
    assert {} == found(sample(CD4=500, CD8=450, T=1000), checks)


@pytest.mark.parametrize(
    ("checks", "counts", "code"),
    [
        (
            'viability = { part = "Viable", of = "Cells", minimum = 70 }',
            {"Viable": 690, "Cells": 1000},
            "low-viability",
        ),
        ('doublets = { part = "Singlets", minimum = 80 }', {"Singlets": 790}, "low-singlets"),
        ('minimum_events = { populations = ["T"], minimum = 2500 }', {"T": 2499}, "few-events"),
        ('beads = { of = "Beads", minimum = 1000 }', {"Beads": 999}, "few-beads"),
        ("compensation = { required = true }", {"T": 1}, "compensation-missing"),
    ],
)
def test_check__speaks_below_its_limit(checks: str, counts: dict[str, int], code: str) -> None:
    """One finding with the limit in its message, and none where the number is met or not measured."""
    findings = found(sample(**counts), checks)
    assert [code] == list(findings)
    assert "limit" in findings[code][1]
    good = replace(sample(**{name: 2500 if name in ("T", "Beads") else 1000 for name in counts}), compensation="sheet")
    assert {} == found(good, checks)


def test_check_sample__unknown_check_and_bad_limit() -> None:
    """A misspelt check would be silent for ever: it is an error."""
    with pytest.raises(TemplateError, match="unknown check 'lymphosun'; expected lymphosum, cd4_cd8"):
        check_sample(sample(T=1), template("lymphosun = { warn = 5 }"))
    with pytest.raises(TemplateError, match="quality, minimum: is no number"):
        check_sample(sample(Beads=5), template('beads = { of = "Beads", minimum = "many" }'))


def test_check_sample__a_failed_sample_stays_as_it_is() -> None:
    """There is nothing to check in a file that could not be gated."""
    failed = replace(sample(), counts=(), error="broken")
    assert failed is check_sample(failed, template(LYMPHOSUM))


@pytest.mark.parametrize(
    ("scores", "rule"),
    [
        ([0, 0.5, 1.9], None), ([0, 2.5], "1-2s"), ([0, 3.1], "1-3s"), ([2.1, 2.2], "2-2s"), ([2.1, -2.2], "R-4s"),
        ([1.1, 1.2, 1.1, 1.3], "4-1s"), ([0.5] * 10, "10x"), ([-0.5] * 9 + [0.5], None),
    ],
)  # fmt: skip
def test_levey_jennings__westgard_rules(scores: list[float], rule: str | None) -> None:
    """Each rule at the run that breaks it, with the value and its distance."""
    findings = list(levey_jennings([50 + 2 * score for score in scores], target=50, deviation=2, where="T"))
    last = [one for one in findings if one.message.startswith(f"run {len(scores)}:")]
    assert [rule] * (rule is not None) == [one.message.rpartition("(")[2].rstrip(")") for one in last]


def test_levey_jennings__learns_its_limits_from_the_runs_before() -> None:
    """From the fifth run on; before that nothing can be said."""
    values = [50.0, 50.4, 49.8, 50.2, 49.6, 58.0]
    assert ["run 6: 58 is"] == [one.message[:12] for one in levey_jennings(values)]
