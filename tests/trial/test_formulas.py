"""Clinical formulas against worked values."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cytorecon.errors import ProtocolError
from cytorecon.trial.formulas import bedside_schwartz
from cytorecon.trial.values import Age

TEN = Age(120, False)


def test_bedside_schwartz__of_a_worked_example() -> None:
    """120 cm and 0.6 mg/dL: 0.413 × 120 / 0.6 = 82.6; the original constant gives 110."""
    estimate = bedside_schwartz(Fraction(120), Fraction(6, 10), "mg/dL", TEN)
    assert (Fraction(826, 10), 110) == (estimate.value, estimate.original)


def test_bedside_schwartz__micromoles() -> None:
    """0.413 × 88.4 = 36.51: the same creatinine in µmol/L gives the same rate."""
    by_mass = bedside_schwartz(Fraction(120), Fraction(1), "mg/dL", TEN)
    assert by_mass == bedside_schwartz(Fraction(120), Fraction("88.4"), "µmol/L", TEN)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (Age(11, True), "unusable"),
        (Age(12, False), "validated"),
        (Age(216, False), "validated"),
        (Age(216, True), "outside"),
        (Age(300, False), "outside"),
    ],
)
def test_bedside_schwartz__validated_from_1_to_18(age: Age, expected: str) -> None:
    """Below one year it is not to be used, above 18 it is outside."""
    assert expected == bedside_schwartz(Fraction(120), Fraction(1), "mg/dL", age).validity


@pytest.mark.parametrize(
    ("value", "unit", "match"), [(1, "g/L", "expected mg/dL or µmol/L, got 'g/L'"), (0, "mg/dL", "above 0")]
)
def test_bedside_schwartz__refuses(value: int, unit: str, match: str) -> None:
    """Another unit, or nothing to divide by."""
    with pytest.raises(ProtocolError, match=match):
        bedside_schwartz(Fraction(120), Fraction(value), unit, TEN)
