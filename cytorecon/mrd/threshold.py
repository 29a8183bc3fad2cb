"""Thresholds of measurable residual disease, each with its denominator, its strictness and its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from cytorecon.errors import CountError


class Denominator(StrEnum):
    """The cells a percentage is a percentage of. Two of them are never compared without both counts."""

    NUCLEATED_DYE = "nucleated_dye"
    NUCLEATED_SCATTER = "nucleated_scatter"
    CD45 = "cd45"
    WBC = "wbc"
    MONONUCLEAR = "mononuclear"
    LINEAGE = "lineage"

    @property
    def words(self) -> str:
        """The denominator as a report writes it."""
        return _WORDS[self]


_WORDS = {
    Denominator.NUCLEATED_DYE: "nucleated cells (nucleic-acid dye)",
    Denominator.NUCLEATED_SCATTER: "nucleated cells (scatter, an estimate)",
    Denominator.CD45: "CD45+ cells",
    Denominator.WBC: "white blood cells",
    Denominator.MONONUCLEAR: "mononuclear cells",
    Denominator.LINEAGE: "cells of the lineage",
}


def parse_denominator(value: str | Denominator) -> Denominator:
    """The denominator of that name; ``nucleated`` means by nucleic-acid dye.

    Raises
    ------
    CountError
        The name is none of them.
    """
    try:
        return Denominator.NUCLEATED_DYE if value == "nucleated" else Denominator(value)
    except ValueError:
        expected = ", ".join(["nucleated", *Denominator])
        raise CountError("denominator", "unknown", expected=expected, got=repr(value)) from None


@dataclass(frozen=True)
class MrdThreshold:
    """A fraction of a named denominator that divides results, and where it is written.

    Parameters
    ----------
    source
        Trial or guideline, for example ``NCT07256210``.
    disease
        ``aml``, ``t_all`` or ``mpal``.
    fraction
        Fraction of 1, exact; a decimal string or an exact ratio, never a float.
    denominator
        The cells it is a fraction of.
    strict
        True: the rule reads "> T" (exactly T is not met); False: "≥ T".
    minimum_total
        A negative needs *more* than this many cells of the denominator. Never gates a positive.
    minimum_blast_region
        A negative needs at least this many cells in the blast region; where above 0, both of the threshold's counts
        are required for any answer.
    citation
        DOI or record item.
    unverified
        What of this threshold was not seen in its source; empty if all was.

    Raises
    ------
    CountError
        The fraction is a float, or not between 0 and 1.
    """

    source: str
    disease: str
    fraction: Fraction
    denominator: Denominator = Denominator.NUCLEATED_DYE
    strict: bool = True
    minimum_total: int = 0
    minimum_blast_region: int = 0
    citation: str = ""
    unverified: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.fraction, float):
            raise CountError(
                f"threshold of {self.source}",
                "a float is not an exact fraction",
                got=repr(self.fraction),
                remedy='Write Fraction(1, 10_000) or Fraction("0.0001")',
            )
        object.__setattr__(self, "fraction", Fraction(self.fraction))
        object.__setattr__(self, "denominator", parse_denominator(self.denominator))
        if not 0 < self.fraction < 1:
            raise CountError(
                f"threshold of {self.source}",
                "is no fraction of 1",
                expected="between 0 and 1",
                got=str(self.fraction),
            )

    @property
    def needs_own_counts(self) -> bool:
        """Whether an answer requires this threshold's own denominator and blast-region counts."""
        return self.minimum_blast_region > 0

    @property
    def words(self) -> str:
        """The rule as a report writes it: ``> 0.01 % of nucleated cells (nucleic-acid dye)``."""
        sign = ">" if self.strict else "≥"
        return f"{sign} {float(self.fraction * 100):g} % of {self.denominator.words}"


_ROUTE_C = "NCT07256210, inclusion criterion 2, persistence of MRD before conditioning"

MRD_THRESHOLDS: dict[str, MrdThreshold] = {
    disease: MrdThreshold("NCT07256210", disease, fraction, citation=_ROUTE_C)
    for disease, fraction in (
        ("aml", Fraction(1, 10_000)),
        ("t_all", Fraction(1, 1_000)),
        ("mpal", Fraction(1, 10_000)),
    )
}

ELN_2021_AML = MrdThreshold(
    "ELN 2021",
    "aml",
    Fraction(1, 1_000),
    Denominator.CD45,
    strict=False,
    minimum_total=500_000,
    minimum_blast_region=100,
    citation="Heuser et al., Blood 2021;138(26):2753, Table 1, A11",
    unverified='"≥" rather than ">" at 0.1 %, the CD45+ wording and what the 100 cells are counted in',
)


def parse_threshold(value: str | MrdThreshold) -> MrdThreshold:
    """A threshold itself, or the trial's threshold of a disease.

    Raises
    ------
    CountError
        The name is no disease of `MRD_THRESHOLDS`.
    """
    if isinstance(value, MrdThreshold):
        return value
    if value not in MRD_THRESHOLDS:
        raise CountError(
            "threshold",
            "unknown disease",
            expected=", ".join(MRD_THRESHOLDS),
            got=repr(value),
            remedy="Name one of them or give an MrdThreshold",
        )
    return MRD_THRESHOLDS[value]


def companions(threshold: MrdThreshold) -> tuple[MrdThreshold, ...]:
    """Thresholds always reported beside this one: ELN 2021 beside every other AML threshold."""
    return (ELN_2021_AML,) if threshold.disease == "aml" and threshold != ELN_2021_AML else ()
