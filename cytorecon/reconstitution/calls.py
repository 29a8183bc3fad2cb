"""What another version of a template changes in the clinical calls: residual disease and endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cytorecon.mrd import MrdThreshold, assess_mrd
from cytorecon.reconstitution.endpoint import ENDPOINTS, assess_endpoint, parse_endpoint
from cytorecon.reconstitution.series import concentration_series

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# What `assess_mrd` says of a sample, against the trial's threshold and ELN 2021's.
MRD_STATEMENTS = ("quantification", "adequacy", "position", "rule_met", "call", "protocol")
_WHERE = ["patient", "timepoint", "specimen", "statement"]
COLUMNS = [*_WHERE, "old", "new"]


def diff_calls(old: xr.Dataset, new: xr.Dataset, threshold: MrdThreshold | str | None = None) -> pd.DataFrame:
    """List every clinical call that two cubes of the same samples do not share.

    Parameters
    ----------
    old, new
        Cubes with dims (patient, timepoint, specimen, population), as `read_cube` gives two versions of a template.
    threshold
        As in `assess_mrd`, for templates with a population of role ``mrd``; None: residual disease is not assessed.

    Returns
    -------
    pandas.DataFrame
        One row a call that differs: ``patient``, ``timepoint`` and ``specimen`` (missing and empty for an endpoint,
        which is of the patient), ``statement`` (``MRD call``, ``MRD ELN 2021 position``, … or the endpoint in words),
        and the words of both, ``old`` and ``new``; what one side does not assess is ``not assessed`` there.

    Raises
    ------
    CountError
        A threshold is given, and a cube has no population of role ``mrd``, or several.
    """
    import pandas as pd

    before, after = (
        pd.concat([_residual(cube, threshold), _endpoints(cube)], ignore_index=True) for cube in (old, new)
    )
    both = pd.merge(before, after, on=_WHERE, how="outer", suffixes=("_old", "_new"))
    both = both.rename(columns={"said_old": "old", "said_new": "new"})
    both[["old", "new"]] = both[["old", "new"]].fillna("not assessed")
    found: pd.DataFrame = both.loc[both["old"] != both["new"], COLUMNS].sort_values(_WHERE, ignore_index=True)
    return found


def _residual(cube: xr.Dataset, threshold: MrdThreshold | str | None) -> pd.DataFrame:
    """What is said of residual disease, one row a sample and statement."""
    import pandas as pd

    if threshold is None:
        return _table([])
    assessed = assess_mrd(cube, threshold)
    names = {name: f"MRD {name.replace('_', ' ')}" for name in MRD_STATEMENTS}
    names |= {
        f"eln_{name}": f"MRD ELN 2021 {name.replace('_', ' ')}" for name in MRD_STATEMENTS if name != "quantification"
    }
    parts = []
    for name, words in names.items():
        if name in assessed:
            frame = assessed[name].to_dataframe(name="said").reset_index()
            frame = frame[(assessed["call"] != "not_sampled").values.ravel()]
            said = frame["said"].replace({1: "met", 0: "not met", -1: "unknown"}).astype(str)
            parts.append(frame[["patient", "timepoint", "specimen"]].assign(statement=words, said=said))
    return pd.concat(parts, ignore_index=True).astype({"timepoint": "Int64"})


def _endpoints(cube: xr.Dataset) -> pd.DataFrame:
    """Which endpoints of reconstitution are reached, and when; those the template cannot answer are left out."""
    have = set(cube["population"].values.tolist())
    wanted = [one for one in map(parse_endpoint, ENDPOINTS) if one.population in have]
    if not wanted or "blood" not in cube["specimen"].values:
        return _table([])
    series = concentration_series(cube, sorted({one.population for one in wanted}))
    rows = []
    for one in wanted:
        for row in assess_endpoint(series, one).to_dict("records"):
            state = str(row["state"]).replace("_", " ")
            said = f"{state} on day {int(row['day']):+d}" if row["state"] == "reached" else state
            rows.append((str(row["patient"]), None, "", one.words, said))
    return _table(rows)


def _table(rows: list[tuple[str, None, str, str, str]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=[*_WHERE, "said"]).astype({"timepoint": "Int64"})
