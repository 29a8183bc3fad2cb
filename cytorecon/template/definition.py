"""What defines a population: a phenotype, a gate, or a Boolean of terms and other populations."""

from __future__ import annotations

from collections.abc import Iterator

from cytorecon.gates import And, Expression, Gate, Member, Not, Or, QuadrantPart, Term
from cytorecon.template.phenotype import Phenotype

Definition = Phenotype | Gate | And | Or | Not | Member


def leaves(definition: Definition | Expression) -> Iterator[Term | Member | Gate]:
    """Take a definition apart into the terms, populations and gates it is made of."""
    match definition:
        case Phenotype(terms):
            yield from terms
        case And(terms) | Or(terms):
            for term in terms:
                yield from leaves(term)
        case Not(term):
            yield from leaves(term)
        case _:
            yield definition


def describe(definition: Definition | Expression) -> str:
    """Put a definition into one line, for results that must say what was counted."""
    match definition:
        case And(terms):
            return " and ".join(_bracketed(term) for term in terms)
        case Or(terms):
            return " or ".join(_bracketed(term) for term in terms)
        case Not(term):
            return f"not {_bracketed(term)}"
        case Member(path):
            return f"in {path}"
        case QuadrantPart(gate, parts):
            return " or ".join(gate.part_names[part] for part in parts)
        case Phenotype() | Term():
            return str(definition)
    kind = type(definition).__name__.removesuffix("Gate").lower()
    return f"{kind} on {', '.join(dimension.label for dimension in definition.dimensions)}"


def _bracketed(definition: Definition | Expression) -> str:
    text = describe(definition)
    return f"({text})" if isinstance(definition, And | Or) else text
