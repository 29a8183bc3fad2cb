"""Arguments in R are values or an error; they are never run."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import InterchangeError
from cytorecon.interchange.rvalues import RValue, parse_arguments

READ: dict[str, dict[str, RValue]] = {
    "": {},
    "K=2,target=c(1e5,5e4)": {"K": 2.0, "target": (1e5, 5e4)},
    "prediction_level = 0.99": {"prediction_level": 0.99},
    " neg = 1L , pos = +1 ": {"neg": 1.0, "pos": 1.0},
    "gate_type='axis', transitional=TRUE": {"gate_type": "axis", "transitional": True},
    "pivot = F, min = -Inf, max = Inf": {"pivot": False, "min": -math.inf, "max": math.inf},
    "x = NULL, y = c(a = 1, b = 'two')": {"x": None, "y": (1.0, "two")},
    "0.05, adjust = 1.5": {"1": 0.05, "adjust": 1.5},
    "gate_range = c()": {"gate_range": ()},
}
REFUSED = (
    "target=system('rm -rf /')",
    "f=function(x) x",
    "x=1+1",
    "x=1:3",
    "x=`y`",
    "x=y",
    "x=~y",
    "x=list(1)",
    "x=c(c(1,2),3)",
    "x=1;y=2",
    "x=1 y=2",
    "x=",
    "x=c(1",
    "x='unfinished",
    "x=1,x=2",
    "x=-TRUE",
    "x=" + "1" * 20_000,
)


@pytest.mark.parametrize("text", READ)
def test_parse_arguments__reads_literals(text: str) -> None:
    """Numbers, texts, truth values and vectors of them."""
    assert READ[text] == parse_arguments(text, "row 1")


@pytest.mark.parametrize("text", REFUSED)
def test_parse_arguments__refuses_everything_else(text: str) -> None:
    """Calls, operators, formulas and variables are refused, naming the row."""
    with pytest.raises(InterchangeError, match="row 1"):
        parse_arguments(text, "row 1")


@given(text=st.text(max_size=60))
def test_parse_arguments__only_values_or_this_error(text: str) -> None:
    """Whatever the cell holds, it is a value or an InterchangeError."""
    try:
        found = parse_arguments(text, "row 1")
    except InterchangeError:
        return
    assert all(isinstance(value, float | str | bool | tuple | None) for value in found.values())
