"""Signed markers as text and as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import TemplateError
from cytorecon.template import Phenotype, Term, parse_phenotype, parse_term


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CD3+", Term("CD3", "+", "CD3")),
        ("CD3-", Term("CD3", "-", "CD3")),
        ("CD3−", Term("CD3", "-", "CD3")),
        ("HLA-DR-", Term("HLA-DR", "-", "HLA-DR")),
        ("CD16+56+", Term("CD16+56", "+", "CD16+56")),
        ("CD56>CD56_bright", Term("CD56", "+", "CD56_bright")),
        ("CD56<CD56_bright", Term("CD56", "-", "CD56_bright")),
    ],
)
def test_parse_term__reads(text: str, expected: Term) -> None:
    """The last character is the sign; a named cut point stands after < or >."""
    assert expected == parse_term(text)


def test_parse_phenotype__trial_definition() -> None:
    """The trial's NK cells."""
    expected = Phenotype((Term("CD3", "-", "CD3"), Term("CD56", "+", "CD56")))
    assert expected == parse_phenotype("CD3- CD56+")


@pytest.mark.parametrize("text", ["CD56bright", "+", "CD3", "CD56>", ">CD56", "CD3 +", "CD56>=0.4>1"])
def test_parse_phenotype__refuses(text: str) -> None:
    """What is no signed marker is refused with an example."""
    with pytest.raises(TemplateError, match=r"cannot read the term .*expected a marker and a sign"):
        parse_phenotype(text)


def test_parse_phenotype__refuses_empty() -> None:
    """A phenotype of no marker would be everything."""
    with pytest.raises(TemplateError, match="names no marker"):
        parse_phenotype("  ")


@pytest.mark.parametrize("text", ["CD3+ CD3-", "CD3+ CD3+"])
def test_parse_phenotype__refuses_a_cut_point_twice(text: str) -> None:
    """One cut point on both sides holds for no event, on one side twice is a slip."""
    with pytest.raises(TemplateError, match="uses the cut point 'CD3' twice"):
        parse_phenotype(text)


MARKERS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9+\-_/]{0,8}", fullmatch=True)


@given(st.lists(st.tuples(MARKERS, st.sampled_from("+-"), MARKERS), min_size=1, unique_by=lambda term: term[2]))
def test_parse_phenotype__reads_what_it_writes(terms: list[tuple[str, str, str]]) -> None:
    """Text of a phenotype reads back to an equal one."""
    expected = Phenotype(tuple(Term(marker, sign, cutpoint) for marker, sign, cutpoint in terms))
    assert expected == parse_phenotype(str(expected))
