"""Statements about hemodilution."""

from __future__ import annotations

import pytest

from cytorecon.errors import CountError
from cytorecon.mrd import NOT_ASSESSED, Hemodilution, blood_contamination_index

PERCENT = {"plasma cells": 0.4, "CD34+": 1.1, "CD10+ granulocytes": 30.0}
WEIGHTS = {"plasma cells": -1.0, "CD34+": -2.0, "CD10+ granulocytes": 0.1}


def test_not_assessed__is_said() -> None:
    """Absence is a statement."""
    assert "Hemodilution: not assessed" == NOT_ASSESSED.text


def test_blood_contamination_index__takes_the_sites_coefficients() -> None:
    """A weighted sum against a cut-off, both of them given."""
    found = blood_contamination_index(PERCENT, WEIGHTS, intercept=0.5, cutoff=0.0)
    assert (pytest.approx(0.9), True) == (found.value, found.diluted)
    assert "hemodiluted (peripheral blood contamination index" in found.text


def test_blood_contamination_index__is_invalid_when_disease_alters_two() -> None:
    """No number where two of the three populations are not the marrow's own."""
    altered = frozenset({"CD34+", "plasma cells"})
    found = blood_contamination_index(PERCENT, WEIGHTS, intercept=0, cutoff=0, altered=altered)
    assert (None, None) == (found.value, found.diluted)
    assert "invalid: disease alters CD34+, plasma cells" in found.text


def test_blood_contamination_index__names_a_missing_population() -> None:
    """A missing percentage is not zero."""
    with pytest.raises(CountError, match=r"has no percentage; got CD34\+"):
        blood_contamination_index({"plasma cells": 1}, {"plasma cells": 1, "CD34+": 1}, intercept=0, cutoff=0)


def test_hemodilution__a_result_needs_a_method() -> None:
    """A number without its method is no statement."""
    with pytest.raises(CountError, match="has a result without a method"):
        Hemodilution(value=0.4)
