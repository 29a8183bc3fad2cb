"""Boolean combinations of populations and thresholds.

Every value is a pair of masks: which events are inside, and which can be judged at all. An event that is not
finite in any dimension that a combination uses cannot be judged and is in no result, whatever the rest of the
combination says: not inside the complement of a gate that could not judge it either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isnan
from typing import Literal

import numpy as np

from cytorecon.errors import GateError
from cytorecon.gates.dimension import AnyDimension, Mask, Values


@dataclass(frozen=True)
class Member:
    """Membership in another population, by its path."""

    path: str

    def __post_init__(self) -> None:
        if not self.path:
            raise GateError("boolean gate", "a population's path is empty", code="gate-boolean")


@dataclass(frozen=True)
class Threshold:
    """One side of a cut on one channel.

    Parameters
    ----------
    dimension
        The axis.
    cut
        On the display scale; a value on the cut is positive.
    positive
        True for ``x ≥ cut``, False for ``x < cut``.

    Raises
    ------
    GateError
        If the cut is NaN.
    """

    dimension: AnyDimension
    cut: float
    positive: bool = True

    def __post_init__(self) -> None:
        if isnan(self.cut):
            raise GateError(f"threshold on {self.dimension.label}", "the cut is NaN", code="gate-boolean")

    @property
    def dimensions(self) -> tuple[AnyDimension, ...]:
        """The one axis."""
        return (self.dimension,)

    def contains(self, values: Values) -> Mask:
        """Which of the events, (event,) or (event, 1), are on this side; none that is not finite."""
        column = np.asarray(values, dtype=np.float64).reshape(-1)
        return np.isfinite(column) & (column >= self.cut if self.positive else column < self.cut)


@dataclass(frozen=True)
class Term:
    """A marker on one side of a named cut point; a template turns it into a `Threshold` once the cut has a place.

    Parameters
    ----------
    marker
        The marker as the template names it.
    sign
        ``"+"``: value at or above the cut point; ``"-"``: below it.
    cutpoint
        Name of the cut point; the marker's own name unless written ``MARKER>CUTPOINT``.
    """

    marker: str
    sign: Literal["+", "-"]
    cutpoint: str

    def __str__(self) -> str:
        if self.cutpoint == self.marker:
            return f"{self.marker}{self.sign}"
        return f"{self.marker}{'>' if self.sign == '+' else '<'}{self.cutpoint}"


@dataclass(frozen=True)
class And:
    """Events in all terms."""

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _checked_terms(self.terms, "and"))


@dataclass(frozen=True)
class Or:
    """Events in at least one term."""

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _checked_terms(self.terms, "or"))


@dataclass(frozen=True)
class Not:
    """Events outside the term, of those that it can judge."""

    term: Expression

    def __post_init__(self) -> None:
        _checked_terms((self.term,), "not")


Expression = And | Or | Not | Member | Threshold | Term

Judged = tuple[Mask, Mask]


def evaluate(
    expression: Expression, member: Callable[[str], Judged], values: Callable[[AnyDimension], Values]
) -> Judged:
    """Which events are inside, and which could be judged.

    Parameters
    ----------
    expression
        The combination.
    member
        For a population's path: which events it holds, and which are finite in all dimensions that decided.
    values
        Display values (event,) of a dimension.

    Returns
    -------
    inside, judged
        Boolean (event,); ``inside`` holds no event that is not ``judged``.
    """
    if isinstance(expression, Member):
        inside, judged = member(expression.path)
        return inside & judged, judged
    if isinstance(expression, Threshold):
        column = values(expression.dimension)
        return expression.contains(column), np.isfinite(column)
    if isinstance(expression, Not):
        inside, judged = evaluate(expression.term, member, values)
        return judged & ~inside, judged
    if isinstance(expression, Term):
        raise GateError(f"term {expression}", "its cut point has no place yet", code="gate-boolean")
    pairs = [evaluate(term, member, values) for term in expression.terms]
    inside, judged = pairs[0]
    for term_inside, term_judged in pairs[1:]:
        inside = inside & term_inside if isinstance(expression, And) else inside | term_inside
        judged = judged & term_judged
    return inside & judged, judged


def members_of(expression: Expression) -> tuple[str, ...]:
    """Paths of the populations an expression refers to, in order, each once."""
    return tuple(dict.fromkeys(leaf.path for leaf in _leaves(expression) if isinstance(leaf, Member)))


def thresholds_of(expression: Expression) -> tuple[Threshold, ...]:
    """Thresholds of an expression, in order, each once."""
    return tuple(dict.fromkeys(leaf for leaf in _leaves(expression) if isinstance(leaf, Threshold)))


def _leaves(expression: Expression) -> Iterator[Member | Threshold | Term]:
    if isinstance(expression, Member | Threshold | Term):
        yield expression
    elif isinstance(expression, Not):
        yield from _leaves(expression.term)
    else:
        for term in expression.terms:
            yield from _leaves(term)


def _checked_terms(terms: tuple[Expression, ...], kind: str) -> tuple[Expression, ...]:
    if not terms or not all(isinstance(term, Expression) for term in terms):
        raise GateError(
            "boolean gate",
            f"{kind!r} has no terms or one of an unknown kind",
            expected="populations, thresholds or boolean terms",
            got=repr(terms)[:80],
            code="gate-boolean",
        )
    return tuple(terms)
