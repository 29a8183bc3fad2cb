"""Markers of a template among the channels of a file."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cytorecon.errors import PanelError
from cytorecon.fcs import Channel
from cytorecon.template import GatingTemplate, parse_template, resolve


def channels(*names: str) -> list[Channel]:
    """Channels from "name" or "name:marker"."""
    pairs = [name.partition(":")[::2] for name in names]
    return [Channel(index, name, marker, 32, 262144.0) for index, (name, marker) in enumerate(pairs)]


def template(*phenotypes: str, markers: str = "", optional: bool = False, extra: str = "") -> GatingTemplate:
    cutpoints = {term[:-1] for text in phenotypes for term in text.split()}
    populations = [
        f'[[population]]\nname = "P{number}"\nphenotype = "{text}"\noptional = {str(optional).lower()}'
        for number, text in enumerate(phenotypes)
    ]
    lines = [
        'name = "t"\nversion = "1"\n[scales]\ndefault = { type = "linear" }',
        f"[markers]\n{markers}",
        *(f'[cutpoint."{name}"]\nat = 0.5' for name in sorted(cutpoints)),
        *populations,
        extra,
    ]
    return parse_template("\n".join(lines))


@pytest.mark.parametrize(
    ("markers", "names", "expected"),
    [
        ("", ("FITC-A:CD3", "CD3"), "FITC-A"),
        ("", ("FITC-A:other", "CD3"), "CD3"),
        ('CD3 = ["SK7"]', ("FITC-A:sk-7", "PE-A:CD56"), "FITC-A"),
        ("", ("FITC-A:cd 3", "PE-A:CD38"), "FITC-A"),
        ("", ("FITC-H:CD3", "FITC-A:CD3", "FITC-W:CD3"), "FITC-A"),
        ("", ("FITC H:CD3", "FITC A:CD3"), "FITC A"),
    ],
)
def test_resolve__finds(markers: str, names: Sequence[str], expected: str) -> None:
    """$PnS before $PnN, by aliases, folded, and -A of the three signals of one detector."""
    assert expected == resolve(template("CD3+", markers=markers), channels(*names)).channels["CD3"].name


def test_resolve__missing() -> None:
    """A missing marker is an error with the file's channels and the line to add."""
    match = r"population 'P0': no channel carries 'CD3'.*FITC-A \(CD38\), PE-A.*\[markers\]: CD3 = \[\"CD3\", \"…\"\]"
    with pytest.raises(PanelError, match=match):
        resolve(template("CD3+"), channels("FITC-A:CD38", "PE-A"))


@pytest.mark.parametrize("names", [("FITC-A:CD3", "PE-A:CD3"), ("FITC-H:CD3", "FITC-W:CD3"), ("X:CD3", "X-A:CD3")])
def test_resolve__double(names: Sequence[str]) -> None:
    """Two channels of one marker are an error, unless one is the area of the same detector."""
    with pytest.raises(PanelError, match="marker 'CD3': is in more than one channel; expected one channel"):
        resolve(template("CD3+"), channels(*names))


def test_resolve__two_aliases_present() -> None:
    """Two names of one marker in two channels are an error too, even if the population is optional."""
    with pytest.raises(PanelError, match="marker 'CD56': is in more than one channel"):
        resolve(
            template("CD56+", markers='CD56 = ["CD56", "NCAM"]', optional=True), channels("PE-A:CD56", "APC-A:NCAM")
        )


def test_resolve__never_by_substring() -> None:
    """CD4 is neither CD45 nor CD4-PE."""
    with pytest.raises(PanelError, match="no channel carries 'CD4'"):
        resolve(template("CD4+"), channels("FITC-A:CD45", "PE-A:CD4-PE"))


CHILDREN = """
[[population]]
name = "child"
parent = "P0"
phenotype = "CD3-"
[[population]]
name = "complement"
boolean = { not = "P0" }
[[population]]
name = "CD3"
phenotype = "CD3+"
"""


def test_resolve__optional() -> None:
    """An optional population without its marker is not measured, nor is what depends on it; the rest is."""
    spare = CHILDREN + "[cutpoint.CD3]\nat = 0.5"
    panel = resolve(template("CD16+", optional=True, extra=spare), channels("FITC-A:CD3"))
    assert panel.not_measured == {"P0", "P0/child", "complement"}
    assert (panel.missing, panel.passed_through) == (("CD16",), frozenset())


def test_resolve__transparent() -> None:
    """A transparent one is passed through: only itself is not measured, and its complement."""
    spare = "transparent = true\n" + CHILDREN + "[cutpoint.CD3]\nat = 0.5"
    panel = resolve(template("CD16+", optional=True, extra=spare), channels("FITC-A:CD3"))
    assert (panel.not_measured, panel.passed_through) == ({"P0", "complement"}, {"P0"})


def test_resolve__detectors_of_a_template_matrix() -> None:
    """A named matrix needs its detectors, by the same rules."""
    matrix = """
[matrix.lab]
detectors = ["fitc a", "PE-A"]
values = [[1, 0.1], [0, 1]]
"""
    spilled = parse_template(
        'name = "t"\nversion = "1"\ncompensation = "lab"\n[cutpoint.CD3]\nat = 0.5\n'
        f'[[population]]\nname = "P"\nphenotype = "CD3+"\n{matrix}'
    )
    found = resolve(spilled, channels("FITC-A:CD3", "PE-A")).channels
    assert {"fitc a": "FITC-A", "PE-A": "PE-A", "CD3": "FITC-A"} == {name: found[name].name for name in found}
    with pytest.raises(PanelError, match="no channel carries 'PE-A'"):
        resolve(spilled, channels("FITC-A:CD3"))


def test_resolve__crossed_names() -> None:
    """A channel of a gate that is one channel's $PnN and another's $PnS is refused; a marker is the $PnS."""
    gate = '[[population]]\nname = "G"\ngate = { type = "range", channels = ["A"], min = 1.0 }'
    with pytest.raises(PanelError, match=r"'A'.*\$PnN of one channel and the \$PnS of another.*A \(B\), B \(A\)"):
        resolve(template(extra=gate), channels("A:B", "B:A"))
    assert "B" == resolve(template(markers='A = ["A"]', extra=gate), channels("A:B", "B:A"))["A"].name
