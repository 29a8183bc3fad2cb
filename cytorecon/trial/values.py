"""Numbers, doses, units, ages and calendar windows as people write them, read exactly or refused."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from cytorecon.errors import ProtocolError

# What keyboards and PDF text put for "times": Latin x, Cyrillic х (U+0445), ×, *, · and their capitals.
_TIMES = "[xXхХ×*·∙]"
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_PER_KG = re.compile(r"(?:cells|клеток)?/(?:kg|кг)$", re.IGNORECASE)
# Exponents of cell doses per kg: outside, a digit was lost or the number is not a dose.
_EXPONENTS = range(3, 13)


def parse_number(value: object, where: str = "number") -> Decimal:
    """A decimal number, exactly as written; a comma is a decimal comma.

    Parameters
    ----------
    value
        int, Decimal, or text such as ``"0,5"``. A float is read by its shortest text.
    where
        What to name in an error.

    Raises
    ------
    ProtocolError
        Not a number, not finite, or ``1,234``, which half the world reads as a thousand.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ProtocolError(where, "is not a number", expected="a number", got=repr(value))
    text = str(value).strip()
    if re.fullmatch(r"-?[1-9][0-9]{0,2}(,[0-9]{3})+", text):
        remedy = f"Write {text.replace(',', '.')} or {text.replace(',', '')}"
        raise ProtocolError(where, "may be a decimal or a thousand", got=repr(text), remedy=remedy)
    try:
        number = Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except InvalidOperation:
        remedy = "Write digits with a point or a comma, without unit"
        raise ProtocolError(where, "is not a number", got=repr(value), remedy=remedy) from None
    if not number.is_finite():
        raise ProtocolError(where, "is not a finite number", got=repr(value))
    return number


def parse_share(value: object, where: str = "share") -> Fraction:
    """An exact fraction of 1 from ``"2/3"``, ``"0,01 %"`` or a number.

    Raises
    ------
    ProtocolError
        Not a fraction, or outside 0 to 1.
    """
    text = str(value).strip()
    if re.fullmatch(r"[0-9]+\s*/\s*[1-9][0-9]*", text):
        share = Fraction(text.replace(" ", ""))
    else:
        share = Fraction(parse_number(text.removesuffix("%"), where)) / (100 if text.endswith("%") else 1)
    if not 0 <= share <= 1:
        raise ProtocolError(where, "is no fraction of 1", expected='such as "2/3" or "0.01 %"', got=text)
    return share


@dataclass(frozen=True)
class Dose:
    """Cells per kilogram, exact, with the words they were read from.

    Parameters
    ----------
    per_kg
        Cells per kg of body weight.
    source
        The text as it was written; empty if computed.
    """

    per_kg: Fraction
    source: str = ""

    @property
    def text(self) -> str:
        """Canonical form: ``1.0e7/kg``; rounded for display only."""
        return f"{scientific(self.per_kg)}/kg"


def scientific(value: Fraction | float) -> str:
    """Four significant digits, at least one decimal: ``1.0e7``, ``6.667e6``, ``0``."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{float(value):.3e}".split("e")
    mantissa = mantissa.rstrip("0")
    return f"{mantissa}{'0' if mantissa.endswith('.') else ''}e{int(exponent)}"


def parse_dose(value: object, where: str = "dose") -> Dose:
    """A cell dose per kg, also where a registry lost the superscript: ``10х106/kg`` is 10 × 10⁶.

    Latin and Cyrillic x, ×, * and · are "times"; decimal commas are decimal points. After "times", ``10`` followed
    by one or two digits is a power of ten: ``10*106`` is never 1060.

    Raises
    ------
    ProtocolError
        Not per kg, not a dose, or a power of ten no cell dose has.
    """
    if not isinstance(value, str):
        raise ProtocolError(where, "is not text", expected='such as "1.0e7/kg"', got=repr(value))
    text = re.sub(r"\s", "", value)
    if not _PER_KG.search(text):
        raise ProtocolError(where, "is not per kg", expected='such as "1.0e7/kg"', got=repr(value))
    number = re.sub("[eEеЕ]", "e", _PER_KG.sub("", text))
    if match := re.fullmatch(rf"({_NUMBER}){_TIMES}10(?:\^|\*\*)?([1-9][0-9]?|[⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,2}})", number):
        mantissa, exponent = match[1], int(match[2].translate(_SUPERSCRIPTS))
        if exponent not in _EXPONENTS:
            raise ProtocolError(where, f"has the power of ten {exponent}", expected="10³ to 10¹²", got=repr(value))
    elif match := re.fullmatch(rf"({_NUMBER})(?:e\+?([0-9]{{1,2}}))?", number):
        mantissa, exponent = match[1], int(match[2] or 0)
    else:
        remedy = 'Write "1.0e7/kg", "10x10^6/kg" or "10х106/kg"'
        raise ProtocolError(where, "is not a cell dose", got=repr(value), remedy=remedy)
    return Dose(Fraction(parse_number(mantissa, where)) * 10**exponent, value)


def canonical_unit(unit: str) -> str:
    """A unit folded for comparison: case, spaces, superscripts, decimal comma and both signs for micro."""
    text = unit.translate(_SUPERSCRIPTS).replace(",", ".").replace("^", "").casefold()
    return re.sub(r"\s", "", text).replace("\N{GREEK SMALL LETTER MU}", "u")  # casefold turns the micro sign into mu


@dataclass(frozen=True)
class Age:
    """Completed calendar months, and whether more days have passed since.

    Parameters
    ----------
    months
        Completed calendar months; someone born on the 31st completes a shorter month on the 1st of the next.
    beyond
        More than exactly `months`; True where only completed years or months were stated.
    """

    months: int
    beyond: bool

    @property
    def text(self) -> str:
        """``11 months`` below two years, then completed years."""
        return f"{self.months // 12} years" if self.months >= 24 else f"{self.months} months"


def age_on(born: date, on: date) -> Age:
    """Age by the calendar.

    Raises
    ------
    ProtocolError
        Born after the date.
    """
    if born > on:
        raise ProtocolError("patient.born", "lies after the reference date", got=str(born), expected=f"≤ {on}")
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    return Age(months, on.day != born.day)


def parse_span(value: str, where: str = "span") -> int:
    """Calendar months from ``"4 months"`` or ``"25 years"``.

    Raises
    ------
    ProtocolError
        Anything else, days and weeks included.
    """
    match = re.fullmatch(r"([0-9]+)\s*(month|year)s?", str(value).strip())
    if match is None:
        raise ProtocolError(where, "is no span", expected='such as "4 months" or "25 years"', got=repr(value))
    return int(match[1]) * (12 if match[2] == "year" else 1)


def add_months(start: date, months: int) -> date:
    """The same day so many calendar months on; the last day of a month that is too short."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
