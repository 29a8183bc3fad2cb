"""Age-matched reference ranges: named, versioned tables, each bound to a definition and never stretched to another age.

The tables are TOML files in ``references``; a laboratory's own table is a file of the same form.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytorecon.errors import CountError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

REFERENCES = Path(__file__).parent / "references"
DAYS_PER_YEAR = 365.25
_AGE_UNITS = {"d": 1.0, "mo": DAYS_PER_YEAR / 12, "y": DAYS_PER_YEAR}
_AGE = re.compile(r"(\d+(?:\.\d+)?) (d|mo|y)")


@dataclass(frozen=True, order=True)
class ReferenceRange:
    """Bounds in cells/µL, both inside, for ages from `first` up to, not including, `end`, in days."""

    first: float
    end: float
    low: float
    high: float


@dataclass(frozen=True)
class ReferenceSubset:
    """Ranges of one subset, its definition in the source, and the definitions of a cube it may be applied to."""

    name: str
    definition: str
    accepted: tuple[str, ...]
    ranges: tuple[ReferenceRange, ...]

    def at(self, age_days: float) -> ReferenceRange | None:
        """The range of that age; None if there is none: never the nearest."""
        return next((one for one in self.ranges if one.first <= age_days < one.end), None)


@dataclass(frozen=True)
class ReferenceTable:
    """A named, versioned set of ranges, with where it was read and what of it is not verified."""

    name: str
    version: str
    title: str
    citation: str
    source: str
    bounds: str
    ages: str
    subsets: tuple[ReferenceSubset, ...]

    def subset(self, definition: str) -> ReferenceSubset | None:
        """The subset that may be compared with a population of that definition; None if there is none."""
        return next((one for one in self.subsets if definition in one.accepted), None)


def read_reference(name_or_path: str | Path = "shearer2003") -> ReferenceTable:
    """A shipped reference table by its name, or a laboratory's own by its path.

    Raises
    ------
    CountError
        There is no such table, or its file is not sound.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = REFERENCES / f"{name_or_path}.toml"
        if not path.is_file():
            expected = ", ".join(sorted(file.stem for file in REFERENCES.glob("*.toml")))
            raise CountError(f"reference {name_or_path}", "is no shipped table", expected=expected)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        subsets = tuple(_subset(name, table, str(path)) for name, table in data.pop("subset").items())
        return ReferenceTable(**data, subsets=subsets)
    except OSError as error:
        raise CountError(str(path), "cannot be read", got=error.strerror or str(error)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        fields = "name, version, title, citation, source, bounds, ages, [subset.X] definition, accepted, row"
        raise CountError(str(path), "is no reference table", expected=fields, got=str(error)) from None


def full_definitions(cube: xr.Dataset) -> dict[str, str]:
    """What each population is below the lymphocytes: its own phenotype after those of its ancestors there.

    ``CD4 T cells``, ``CD4+ CD8-`` of ``T cells``, ``CD3+``, is ``CD3+ CD4+ CD8-``: what a reference is bound to.
    """
    paths = [str(path) for path in cube["path"].values]
    words = dict(zip(paths, (str(each) for each in cube["definition"].values), strict=True))
    tops = [path for path, role in zip(paths, cube["role"].values, strict=True) if role == "lymphocytes"]
    found = {}
    for name, path in zip(cube["population"].values, paths, strict=True):
        above = [one for one in paths if path.startswith(f"{one}/") and any(one.startswith(f"{top}/") for top in tops)]
        found[str(name)] = " ".join(filter(None, [*(words[one] for one in sorted(above, key=len)), words[path]]))
    return found


def compare_with_reference(
    series: pd.DataFrame,
    definitions: Mapping[str, str],
    age_years: Mapping[str, float],
    tables: ReferenceTable | Sequence[ReferenceTable],
) -> pd.DataFrame:
    """A series with the range of each patient's age on the day of each sample, and where the value lies.

    Parameters
    ----------
    series
        Of `concentration_series`.
    definitions
        Population to its full definition, see `full_definitions`.
    age_years
        Patient to age at transplant, in years (8.5); patients without one get ``age_unknown``.
    tables
        A table, or several: the first that has the definition and the age answers (a child's and an adult's).

    Returns
    -------
    pandas.DataFrame
        `series` with ``age_days``, ``reference`` (name and version), ``reference_low``, ``reference_high``
        and ``reference_position``: ``below``, ``within`` (bounds included), ``above``, ``undetermined`` (censored at an
        LLOQ above the lower bound), ``no_reference_for_age``, ``no_reference_for_definition``, ``age_unknown`` or
        ``not_measured``.
    """
    sets = [tables] if isinstance(tables, ReferenceTable) else list(tables)
    rows = [
        _compare(row, definitions.get(str(row["population"]), ""), age_years.get(str(row["patient"])), sets)
        for row in series.to_dict("records")
    ]
    names = ("age_days", "reference", "reference_low", "reference_high", "reference_position")
    table = series.assign(**{name: [row[place] for row in rows] for place, name in enumerate(names)})
    shown = [f"{one.name} {one.version}: {one.citation}, {one.source}; bounds: {one.bounds}" for one in sets]
    table.attrs |= series.attrs | {"references": shown}
    return table


_NONE = (float("nan"), float("nan"))


def _compare(
    row: Mapping[Any, Any], definition: str, age_years: float | None, tables: Sequence[ReferenceTable]
) -> tuple[float, str, float, float, str]:
    bound = [(table, subset) for table in tables if (subset := table.subset(definition)) is not None]
    age = float("nan") if age_years is None else age_years * DAYS_PER_YEAR + row["day"]
    if not bound:
        return age, "", *_NONE, "no_reference_for_definition"
    if age_years is None:
        return age, "", *_NONE, "age_unknown"
    for table, subset in bound:
        found = subset.at(age)
        if found is not None:
            name = f"{table.name} {table.version} {subset.name}"
            return age, name, found.low, found.high, _position(row, found)
    return age, "", *_NONE, "no_reference_for_age"


def _position(row: Mapping[Any, Any], found: ReferenceRange) -> str:
    if row["censor"] == "missing":
        return "not_measured"
    if row["censor"] == "left":
        return "below" if row["lloq"] <= found.low else "undetermined"
    value = row["cells_per_ul"]
    return "below" if value < found.low else "above" if value > found.high else "within"


def _subset(name: str, table: Mapping[str, Any], where: str) -> ReferenceSubset:
    made = (ReferenceRange(_days(r["from"], where), _days(r["to"], where), r["low"], r["high"]) for r in table["row"])
    ranges = tuple(sorted(made))
    for earlier, later in pairwise(ranges):
        if later.first < earlier.end:
            raise CountError(f"{where}: {name}", "has two ranges for one age", got=f"{later.first:g} days")
    for one in ranges:
        if not (one.first < one.end and 0 <= one.low < one.high):
            raise CountError(f"{where}: {name}", "has an empty range", got=f"{one.low:g} to {one.high:g}")
    return ReferenceSubset(name, table["definition"], tuple(table["accepted"]), ranges)


def _days(text: str, where: str) -> float:
    found = _AGE.fullmatch(text)
    if found is None:
        raise CountError(where, "an age is not understood", expected='"7 d", "2 mo" or "5 y"', got=repr(text))
    return float(found[1]) * _AGE_UNITS[found[2]]
