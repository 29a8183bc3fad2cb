"""How results are told: one line an estimate, one mapping a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cytorecon.reconstitution import plain, quantile_words

if TYPE_CHECKING:
    import pandas as pd


def table_mapping(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON has them: missing and infinite numbers as null, numpy scalars as Python's."""
    return [{str(key): plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def rows_of(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows of a table as mappings."""
    return table.to_dict("records")


def spoken(name: str) -> str:
    """A name as words."""
    return name.replace("_", " ")


def share_line(row: Mapping[Any, Any]) -> str:
    """A proportion with its exact interval."""
    what = f"{spoken(row['measure'])}, {row['group']}: {row['count']} of {row['total']}"
    if not row["total"]:
        return f"{what}: not evaluable"
    return (
        f"{what} ({100 * row['proportion']:.0f} %, 95 % interval {100 * row['low']:.0f} to {100 * row['high']:.0f} %)"
    )


def estimate_line(row: Mapping[Any, Any], what: str) -> str:
    """A probability at one time with its interval and the number at risk."""
    head = f"{what}, {row['group']} (n = {row['count']}), day {row['day']}"
    if row["value"] != row["value"]:
        return f"{head}: not estimable, nobody is observed that long"
    bounds = f"95 % interval {100 * row['low']:.0f} to {100 * row['high']:.0f} %"
    note = "; a small number of patients" if row["note"] else ""
    return f"{head}: {100 * row['value']:.1f} % ({bounds}), {row['at_risk']} at risk{note}"


def quartile_line(row: Mapping[Any, Any]) -> str:
    """Quartiles of a population at a visit."""
    lower, median, upper = quantile_words(row)
    note = "; a small number of patients" if row["note"] else ""
    return (
        f"{row['population']}, {row['group']}, day {row['timepoint']} (actual {row['first_day']} to {row['last_day']}):"
        f" median {median}/µL, quartiles {lower} and {upper}; {row['measured_count']} measured, "
        f"{row['censored_count']} below LLOQ{note}"
    )


def log_change_line(row: Mapping[Any, Any]) -> str:
    """One patient's residual disease before and after."""
    who = f"{row['patient']} ({row['disease']}, level {row['level']})"
    if row["kind"] == "not_evaluable":
        return f"{who}: MRD change not evaluable: {row['reason']}"
    sign = {"estimate": "", "at_most": "≤ ", "at_least": "≥ "}[row["kind"]]
    return (
        f"{who}: MRD {row['before_events']:.0f} of {row['before_total']:.0f} (day {row['before_day']:.0f}) to "
        f"{row['after_events']:.0f} of {row['after_total']:.0f} (day {row['after_day']:.0f}); log10 change "
        f"{sign}{row['log10_change']:.2f} (95 % interval {row['low']:.2f} to {row['high']:.2f}); "
        f"{spoken(row['conversion'])}"
    )
