"""How much peripheral blood a marrow aspirate holds: a value with its method, or an explicit "not assessed"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cytorecon.errors import CountError


@dataclass(frozen=True)
class Hemodilution:
    """A statement about hemodilution.

    Parameters
    ----------
    method
        How it was assessed, with a reference; empty means not assessed.
    value
        The metric's value in `unit`; None if only a judgement was made.
    diluted
        Whether the method calls the sample hemodiluted; None if it has no cut-off.
    note
        What limits it, for example the populations the disease alters.
    """

    method: str = ""
    value: float | None = None
    unit: str = ""
    diluted: bool | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.method and (self.value is not None or self.diluted is not None):
            raise CountError(
                "hemodilution", "has a result without a method", remedy="Name the method and its reference"
            )

    @property
    def text(self) -> str:
        """One clause of the report."""
        if not self.method:
            return "Hemodilution: not assessed"
        value = "" if self.value is None else f" {self.value:.3g}{f' {self.unit}' if self.unit else ''}"
        verdict = {None: "no cut-off given", True: "hemodiluted", False: "not hemodiluted"}[self.diluted]
        return f"Hemodilution: {verdict} ({self.method}{value}{f'; {self.note}' if self.note else ''})"


NOT_ASSESSED = Hemodilution()


def blood_contamination_index(
    percent: Mapping[str, float],
    coefficients: Mapping[str, float],
    *,
    intercept: float,
    cutoff: float,
    altered: frozenset[str] = frozenset(),
    reference: str = "Delgado 2017, J Immunol Methods",
) -> Hemodilution:
    """Peripheral blood contamination index: a discriminant of plasma cells, CD34+ cells and CD10+ granulocytes.

    Parameters
    ----------
    percent
        Population → its percentage of the aspirate.
    coefficients, intercept, cutoff
        Of the discriminant; a value above `cutoff` is hemodiluted. The published figures were not seen, so there
        is no default.
    altered
        Populations that the disease or its therapy alters: with two or more of them the index is invalid.
    reference
        Where the coefficients come from.

    Raises
    ------
    CountError
        A population with a coefficient has no percentage.
    """
    missing = sorted(set(coefficients) - set(percent))
    if missing:
        raise CountError("hemodilution", "a population of the index has no percentage", got=", ".join(missing))
    score = intercept + sum(weight * percent[name] for name, weight in coefficients.items())
    method = f"peripheral blood contamination index, {reference}, cut-off {cutoff:g}"
    if len(altered & set(coefficients)) >= 2:
        return Hemodilution(method, note=f"invalid: disease alters {', '.join(sorted(altered))}")
    return Hemodilution(method, score, diluted=score > cutoff)
