"""Results for other programs: one long table, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# Columns that may name a patient, and are written only when asked for.
IDENTIFYING = ("file", "comment")
_SAMPLE = ("patient", "transplant", "day", "specimen", "panel", "replicate", *IDENTIFYING, "sha256", "compensation")
_POPULATION = ("population", "path", "parent", "definition", "role", "cell_ontology", "loinc")
_COUNT = ("event_count", "parent_count")
# What makes a spreadsheet take a cell for a formula (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def long_table(samples: xr.Dataset, pseudonyms: Mapping[str, str] | None = None) -> pd.DataFrame:
    """One row a sample and population.

    Parameters
    ----------
    samples
        Counts by sample, as `read_samples` returns them.
    pseudonyms
        Patient -> what to write instead; what may identify a patient otherwise is left out. None writes names, files
        and comments as they are.

    Returns
    -------
    pandas.DataFrame
        Counts are missing where nothing was counted: `status` says why. `percent_of_parent` is missing for 0 of 0.
    """
    import pandas as pd

    shape = (samples.sizes["sample"], samples.sizes["population"])
    hidden = IDENTIFYING if pseudonyms is not None else ()
    columns: dict[str, object] = {}
    for name in (name for name in _SAMPLE if name not in hidden):
        values = samples[name].values
        whole = values.astype(np.int64) if values.dtype.kind == "f" else values  # days are whole numbers
        columns[name] = np.repeat(whole, shape[1])
    if pseudonyms is not None:
        columns["patient"] = [pseudonyms.get(str(name), str(name)) for name in np.asarray(columns["patient"])]
    for name in _POPULATION:
        columns[name] = np.tile(samples[name].values, shape[0])
    meanings = samples["status"].attrs["flag_meanings"].split()
    values = samples["status"].attrs["flag_values"]
    words = dict(zip(np.asarray(values).tolist(), meanings, strict=True))
    for name in _COUNT:
        count = pd.Series(samples[name].transpose("sample", "population").values.ravel(), dtype="Int64")
        columns[name] = count.mask(count < 0)
    table = pd.DataFrame(columns)
    with_parent = table["parent_count"].where(table["parent_count"] > 0).astype("Float64")
    table["percent_of_parent"] = 100 * table["event_count"].astype("Float64") / with_parent
    table["status"] = [words[int(code)] for code in samples["status"].transpose("sample", "population").values.ravel()]
    table["template"] = f"{samples.attrs['template']} {samples.attrs['template_version']}"
    table["template_sha256"] = samples.attrs["template_sha256"]
    return table


def write_csv(table: pd.DataFrame, target: Path | IO[str]) -> None:
    """Write a table as CSV (UTF-8); text that a spreadsheet would take for a formula gets a leading apostrophe."""
    safe = table.copy()
    for name in safe.columns:
        if safe[name].dtype == object or str(safe[name].dtype) in ("string", "str"):
            safe[name] = [f"'{cell}" if str(cell).startswith(_FORMULA) else cell for cell in safe[name]]
    safe.to_csv(target, index=False)
