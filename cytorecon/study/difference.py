"""What another version of a template changes: every count that differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cytorecon.cube import STATUS
from cytorecon.study import view
from cytorecon.study.folder import Study

if TYPE_CHECKING:
    import pandas as pd

IDENTITY = ("patient", "transplant", "day", "specimen", "panel", "replicate")
_COUNTED = ("event_count", "parent_count", "status")


def diff_templates(study: Study, name: str, old: str, new: str) -> pd.DataFrame:
    """List every count that two versions of a template do not share.

    Parameters
    ----------
    study
        The study.
    name
        The template's name.
    old, new
        Versions, or beginnings of a template's SHA-256.

    Returns
    -------
    pandas.DataFrame
        One row a sample and population that differs: the sample's identity, ``path``, and ``event_count``,
        ``parent_count`` and ``status`` (in words) of both with the suffixes ``_old`` and ``_new``. A population or
        sample that one side lacks is ``not_sampled`` there, with −1.

    Raises
    ------
    StudyError
        The study holds no results of one of them.
    """
    import pandas as pd

    before, after = (_table(study, name, version) for version in (old, new))
    both = pd.merge(before, after, on=[*IDENTITY, "path"], how="outer", suffixes=("_old", "_new"))
    for side in ("old", "new"):
        for column, missing in (("event_count", -1), ("parent_count", -1), ("status", STATUS["not_sampled"])):
            both[f"{column}_{side}"] = both[f"{column}_{side}"].fillna(missing).astype("int64")
    sides = [both[[f"{column}_{side}" for column in _COUNTED]].to_numpy() for side in ("old", "new")]
    both["day"] = both["day"].astype("int64")
    found: pd.DataFrame = both[(sides[0] != sides[1]).any(axis=1)].sort_values([*IDENTITY, "path"], ignore_index=True)
    words = {code: word for word, code in STATUS.items()}
    for side in ("old", "new"):
        found[f"status_{side}"] = found[f"status_{side}"].map(words)
    return found


def _table(study: Study, name: str, version: str) -> pd.DataFrame:
    samples = view.read_samples(study, name, version=version)
    wanted = [*IDENTITY, "path", *_COUNTED]
    frame: pd.DataFrame = samples[list(_COUNTED)].to_dataframe().reset_index().loc[:, wanted]
    return frame
