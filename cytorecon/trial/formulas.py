"""Clinical formulas that a protocol names, each with its source and the ages it was validated for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cytorecon.errors import ProtocolError
from cytorecon.trial.values import Age, canonical_unit

# Molar mass of creatinine: 1 mg/dL is 88.4 µmol/L.
_CREATININE = {"mg/dl": Fraction(1), "umol/l": Fraction(10, 884)}


@dataclass(frozen=True)
class Egfr:
    """An estimated glomerular filtration rate.

    Parameters
    ----------
    value
        mL/min/1.73 m², exact.
    k, original
        The constant used, and the value that the original constant of 0.55 would give.
    formula
        Its name in words.
    validity
        ``validated`` for this age, ``outside`` its validated ages, or ``unusable``.
    """

    value: Fraction
    k: Fraction
    original: Fraction
    formula: str
    validity: Literal["validated", "outside", "unusable"]


def bedside_schwartz(height_cm: Fraction, creatinine: Fraction, unit: str, age: Age) -> Egfr:
    """Bedside Schwartz equation of 2009: 0.413 × height / serum creatinine.

    Parameters
    ----------
    height_cm
        Height in cm.
    creatinine
        Serum creatinine of an IDMS-traceable assay, above 0.
    unit
        ``mg/dL`` or ``µmol/L``.
    age
        Validated from 1 to 18 years; not to be used below.

    Raises
    ------
    ProtocolError
        Another unit, or a creatinine of 0.

    References
    ----------
    Schwartz et al. 2009, doi 10.1681/ASN.2008030287.
    """
    factor = _CREATININE.get(canonical_unit(unit))
    if factor is None:
        raise ProtocolError("kidney.creatinine.unit", "is unknown", expected="mg/dL or µmol/L", got=repr(unit))
    if creatinine <= 0:
        raise ProtocolError("kidney.creatinine", "has to be above 0", got=str(creatinine))
    ratio = height_cm / (creatinine * factor)
    validity: Literal["validated", "outside", "unusable"] = "validated"
    if age.months < 12:
        validity = "unusable"
    elif age.months > 18 * 12 or (age.months == 18 * 12 and age.beyond):
        validity = "outside"
    k = Fraction(413, 1000)
    return Egfr(k * ratio, k, Fraction(55, 100) * ratio, "bedside Schwartz 2009 (k = 0.413)", validity)


FORMULAS: dict[str, Callable[[Fraction, Fraction, str, Age], Egfr]] = {"bedside_schwartz_2009": bedside_schwartz}
