"""Numbers, doses, ages and windows as people write them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import ProtocolError
from cytorecon.trial.values import (
    Age,
    add_months,
    age_on,
    canonical_unit,
    parse_dose,
    parse_number,
    parse_share,
    parse_span,
    scientific,
)

DAYS = st.dates(date(1990, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("written", "expected"),
    [("0,5", "0.5"), ("1,73", "1.73"), (" 38.5 ", "38.5"), (3, "3"), (0.1, "0.1"), ("-2", "-2")],
)
def test_parse_number__reads_both_decimal_signs_exactly(written: object, expected: str) -> None:
    """A comma is a decimal comma; nothing goes through binary floating point."""
    assert Decimal(expected) == parse_number(written)


@pytest.mark.parametrize("written", ["1,234", "12,345,678"])
def test_parse_number__refuses_what_may_be_a_thousand(written: str) -> None:
    """1,234 is 1.234 in one country and a thousand in another."""
    with pytest.raises(ProtocolError, match=r"may be a decimal or a thousand.*Write 1.*or"):
        parse_number(written)


@pytest.mark.parametrize("written", ["", "abc", "1,2,3", "5 mg", "1.234,5"])
def test_parse_number__refuses_text(written: str) -> None:
    """No unit, no second comma, no words."""
    with pytest.raises(ProtocolError, match="is not a number"):
        parse_number(written)


@pytest.mark.parametrize("written", [True, None, [1]])
def test_parse_number__refuses_other_values(written: object) -> None:
    """A yes is no 1."""
    with pytest.raises(ProtocolError, match="expected a number"):
        parse_number(written)


def test_parse_number__refuses_what_is_not_finite() -> None:
    """NaN compares with nothing."""
    with pytest.raises(ProtocolError, match="not a finite number"):
        parse_number("nan")


def test_parse_number__takes_a_leading_zero_as_decimal() -> None:
    """0,125 can be no thousand."""
    assert Decimal("0.125") == parse_number("0,125")


@pytest.mark.parametrize(
    "written",
    [
        "10х106/kg",
        "10x106/kg",
        "10X10^6/kg",
        "10×10⁶/kg",
        "10*106 / kg",
        "10·10**6/kg",
        "1.0e7/kg",
        "1,0E7 cells/kg",
        "10000000/kg",
        "1.0е7/кг",
    ],
)
def test_parse_dose__reads_every_spelling_of_ten_million(written: str) -> None:
    """Latin and Cyrillic letters, × and *, lost superscripts and decimal commas give one dose and keep the source."""
    dose = parse_dose(written)
    assert (10_000_000, "1.0e7/kg", written) == (dose.per_kg, dose.text, dose.source)


@pytest.mark.parametrize(
    ("written", "expected"), [("5х106/kg", 5_000_000), ("20х106/kg", 20_000_000), ("2,5х105/kg", 250_000)]
)
def test_parse_dose__loses_no_power(written: str, expected: int) -> None:
    """The record's other levels, and a fraction."""
    assert expected == parse_dose(written).per_kg


def test_parse_dose__never_multiplies_by_106() -> None:
    """10*106 is a lost superscript, never 1060."""
    assert Fraction(1060) != parse_dose("10*106/kg").per_kg


@pytest.mark.parametrize(
    ("written", "match"),
    [
        ("10х106", "is not per kg"),
        ("10х100/kg", "is not a cell dose"),
        ("10х102/kg", "power of ten 2"),
        ("10х1015/kg", "power of ten 15"),
        ("10х206/kg", "is not a cell dose"),
        ("10х1006/kg", "is not a cell dose"),
        ("many/kg", 'Write "1.0e7/kg"'),
        ("1,234/kg", "may be a decimal or a thousand"),
    ],
)
def test_parse_dose__refuses_what_is_no_dose(written: str, match: str) -> None:
    """A clear message instead of a guess."""
    with pytest.raises(ProtocolError, match=match):
        parse_dose(written)


@given(st.integers(1, 99), st.integers(3, 12), st.sampled_from("xXхХ×*·"))
def test_parse_dose__reads_lost_superscripts_of_any_dose(mantissa: int, exponent: int, times: str) -> None:
    """mantissa × 10exponent always reads as mantissa · 10^exponent."""
    assert mantissa * 10**exponent == parse_dose(f"{mantissa}{times}10{exponent}/kg").per_kg


@pytest.mark.parametrize(
    ("value", "expected"), [(Fraction(20_000_000, 3), "6.667e6"), (0, "0"), (10**7, "1.0e7"), (12_340, "1.234e4")]
)
def test_scientific__rounds_for_display_only(value: Fraction, expected: str) -> None:
    """Four digits at most, one decimal at least."""
    assert expected == scientific(value)


@pytest.mark.parametrize(
    ("written", "expected"), [("2/3", Fraction(2, 3)), ("0,01 %", Fraction(1, 10_000)), ("0.1 %", Fraction(1, 1000))]
)
def test_parse_share__is_exact(written: str, expected: Fraction) -> None:
    """Thirds and decimal commas stay exact."""
    assert expected == parse_share(written)


def test_parse_share__refuses_more_than_all() -> None:
    """A share is at most 1."""
    with pytest.raises(ProtocolError, match="no fraction of 1"):
        parse_share("120 %")


@pytest.mark.parametrize("written", ["µmol/L", "μmol/l", " UMOL / L"])
def test_canonical_unit__knows_both_micro_signs(written: str) -> None:
    """The micro sign, the Greek letter and the plain u are one."""
    assert "umol/l" == canonical_unit(written)


def test_canonical_unit__folds_superscript_and_comma() -> None:
    """mL/min/1,73 m² is mL/min/1.73 m2."""
    assert canonical_unit("mL/min/1.73 m2") == canonical_unit("ml/min/1,73 m²")


@pytest.mark.parametrize(
    ("born", "on", "expected"),
    [
        (date(2000, 5, 20), date(2025, 5, 20), Age(300, False)),
        (date(2000, 5, 20), date(2025, 5, 21), Age(300, True)),
        (date(2000, 5, 20), date(2025, 5, 19), Age(299, True)),
        (date(2024, 1, 31), date(2024, 2, 29), Age(0, True)),
        (date(2024, 1, 31), date(2024, 3, 1), Age(1, True)),
    ],
)
def test_age_on__counts_calendar_months(born: date, on: date, expected: Age) -> None:
    """The birthday completes a year; a short month completes on the 1st of the next."""
    assert expected == age_on(born, on)


def test_age_on__refuses_the_unborn() -> None:
    """A birth after the reference date is a slip of the pen."""
    with pytest.raises(ProtocolError, match="lies after the reference date"):
        age_on(date(2026, 1, 2), date(2026, 1, 1))


@given(DAYS, st.integers(0, 400))
def test_age_on__never_falls_with_time(born: date, days: int) -> None:
    """A day later nobody is younger."""
    earlier, later = age_on(born, born + timedelta(days)), age_on(born, born + timedelta(days + 1))
    assert earlier.months <= later.months <= earlier.months + 1


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (date(2025, 10, 31), 4, date(2026, 2, 28)),
        (date(2023, 10, 31), 4, date(2024, 2, 29)),
        (date(2025, 11, 2), 4, date(2026, 3, 2)),
        (date(2025, 12, 15), 12, date(2026, 12, 15)),
    ],
)
def test_add_months__stays_in_the_month(start: date, months: int, expected: date) -> None:
    """The last day stands in for a day the month lacks."""
    assert expected == add_months(start, months)


@pytest.mark.parametrize(("written", "expected"), [("4 months", 4), ("1 month", 1), ("25 years", 300)])
def test_parse_span__gives_months(written: str, expected: int) -> None:
    """Years and months; nothing else."""
    assert expected == parse_span(written)


def test_parse_span__refuses_days() -> None:
    """Days are no calendar span."""
    with pytest.raises(ProtocolError, match=r'such as "4 months"'):
        parse_span("120 days")
