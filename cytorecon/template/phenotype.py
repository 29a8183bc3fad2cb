"""Signed markers, as the field writes them: ``CD3- CD56+``, or against a named cut point ``CD56>CD56_bright``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from cytorecon.errors import TemplateError
from cytorecon.gates import Term

Sign = Literal["+", "-"]

_SIGNED = re.compile(r"(?P<marker>[^\s<>]+?)(?P<sign>[+\-])")
_AGAINST = re.compile(r"(?P<marker>[^\s<>]+)(?P<sign>[<>])(?P<cutpoint>[^\s<>]+)")
# Typographic signs come with text pasted from papers: minus sign, superscript signs, en dash.
_TYPOGRAPHIC = str.maketrans({"−": "-", "⁻": "-", "–": "-", "⁺": "+", "＋": "+"})


@dataclass(frozen=True)
class Phenotype:
    """Terms that all hold at once.

    Raises
    ------
    TemplateError
        There is no term, or one cut point is named twice (``CD3+ CD3-`` could hold for no event).
    """

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise TemplateError(
                "phenotype", "names no marker", expected='terms such as "CD3- CD56+"', code="empty-phenotype"
            )
        cutpoints = [term.cutpoint for term in self.terms]
        twice = sorted({name for name in cutpoints if cutpoints.count(name) > 1})
        if twice:
            raise TemplateError(
                f"phenotype {str(self)!r}",
                f"uses the cut point {twice[0]!r} twice",
                expected="each cut point once",
                remedy="Delete one of the two terms.",
                code="repeated-term",
            )

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))


def parse_term(text: str) -> Term:
    """Read one term, ``CD3+``, ``CD3-``, ``CD56>CD56_bright`` or ``CD56<CD56_bright``.

    Raises
    ------
    TemplateError
        The text is none of these.
    """
    plain = text.strip().translate(_TYPOGRAPHIC)
    if match := _AGAINST.fullmatch(plain):
        sign: Sign = "+" if match["sign"] == ">" else "-"
        return Term(match["marker"], sign, match["cutpoint"])
    if match := _SIGNED.fullmatch(plain):
        return Term(match["marker"], "+" if match["sign"] == "+" else "-", match["marker"])
    raise TemplateError(
        "phenotype",
        f"cannot read the term {text[:60]!r}",
        expected='a marker and a sign ("CD3-", "CD56+") or a named cut point ("CD56>CD56_bright")',
        remedy="Separate terms by a blank; write levels such as bright or dim against a named cut point.",
        code="bad-term",
    )


def parse_phenotype(text: str) -> Phenotype:
    """Read terms separated by blanks.

    Parameters
    ----------
    text
        For example ``"CD3- CD56+"``. A marker may itself hold signs (``HLA-DR+``, ``CD16+56-``): only the
        last character of a term is its sign, which is why terms need a blank between them.

    Raises
    ------
    TemplateError
        A term cannot be read, there is none, or a cut point is used twice.
    """
    return Phenotype(tuple(parse_term(term) for term in text.split()))
