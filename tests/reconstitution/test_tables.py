"""Count tables that others made: every count found again in a cube, and no concentration without a platform."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cytorecon.errors import SheetError
from cytorecon.reconstitution import concentration_series
from cytorecon.study import ingest, open_study, read_cube, read_samples

# Parent as the table names it -> its path; the tables name parents, not paths.
PATHS = {
    "OpenCyto-tcell.csv": {
        "nonDebris": "nonDebris", "Live": "nonDebris/Lymphocytes/Live", "CD3": "nonDebris/Lymphocytes/Live/CD3",
        "CD4+CD8-": "nonDebris/Lymphocytes/Live/CD3/CD4+CD8-", "CD4-CD8+": "nonDebris/Lymphocytes/Live/CD3/CD4-CD8+",
    },
    "OpenCyto-treg.csv": {
        "nonDebris": "nonDebris", "Live": "nonDebris/Lymphocytes/Live", "CD3": "nonDebris/Lymphocytes/Live/CD3",
        "CD4": "nonDebris/Lymphocytes/Live/CD3/CD4", "CD25+CD127-": "nonDebris/Lymphocytes/Live/CD3/CD4/CD25+CD127-",
    },
}  # fmt: skip


def long_table(shared: Path, name: str) -> pd.DataFrame:
    """An automated table in the form `ingest` takes: paths for names that occur below several parents."""
    table = pd.read_csv(shared / "data" / "lyoplate_expert_tables" / name)
    pairs = zip(table["Parent"], table["Population"], strict=True)
    return pd.DataFrame(
        {"patient": table["Center"] + " " + table["Sample"].astype(str), "day": 0, "specimen": "blood",
         "replicate": table["Replicate"], "population": [f"{PATHS[name][parent]}/{own}" for parent, own in pairs],
         "event_count": table["Count"], "parent_count": table["Count_Parent"]}
    )  # fmt: skip


@pytest.mark.parametrize("name", list(PATHS))
def test_lyoplate__every_count_of_the_automated_tables(shared: Path, tmp_path: Path, name: str) -> None:
    """Counts of one name below several parents each keep their own place."""
    long = long_table(shared, name).drop(columns="parent_count")
    long.to_csv(tmp_path / "long.csv", index=False)
    study = open_study(tmp_path / "study.recon")
    ingest(study, tmp_path / "long.csv", "lyoplate")
    samples = read_samples(study, "lyoplate")
    found = samples["event_count"].to_dataframe().reset_index()
    cells = found.set_index(["patient", "replicate", "path"])["event_count"]
    keys = list(zip(long["patient"], long["replicate"], long["population"], strict=True))
    assert cells.loc[keys].tolist() == long["event_count"].tolist()
    assert int((samples["event_count"] >= 0).sum()) == len(long)


def test_lyoplate__a_table_that_contradicts_itself_is_refused(shared: Path, tmp_path: Path) -> None:
    """One table repeats the first file's parent counts in all rows: 67,126 of 58,093 is no count."""
    long_table(shared, "OpenCyto-tcell.csv").to_csv(tmp_path / "long.csv", index=False)
    with pytest.raises(SheetError, match=r"row 16: counts more events than its parent holds; got 67126 of 58093"):
        ingest(open_study(tmp_path / "study.recon"), tmp_path / "long.csv", "lyoplate")


def test_teiko__has_counts_but_no_concentration(shared: Path, tmp_path: Path) -> None:
    """Without beads or a blood count no cells/µL are made up, on any of days 0, 7 and 14."""
    wide = pd.read_csv(shared / "data" / "teiko_longitudinal" / "cell-count.csv").head(300)
    kinds = ["b_cell", "cd8_t_cell", "cd4_t_cell", "nk_cell", "monocyte"]
    long = wide.melt(["subject", "time_from_treatment_start"], kinds, "population", "event_count")
    long = long.rename(columns={"subject": "patient", "time_from_treatment_start": "day"}).assign(specimen="blood")
    long.to_csv(tmp_path / "long.csv", index=False)
    study = open_study(tmp_path / "study.recon")
    ingest(study, tmp_path / "long.csv", "teiko")
    series = concentration_series(read_cube(study, "teiko"))
    counts = series.set_index(["patient", "day", "population"])["event_count"]
    expected = long.set_index(["patient", "day", "population"])["event_count"]
    assert counts.sort_index().to_dict() == expected.sort_index().to_dict()
    assert set(series["reason"]) == {"no_platform"}
    assert set(series["censor"]) == {"missing"}
