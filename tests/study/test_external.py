"""Counts that someone else made: every count found again, none invented."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from cytorecon.cube import STATUS, percent_of_parent, validate
from cytorecon.errors import SheetError
from cytorecon.study import Study, ingest, read_cube, read_samples, verify

HEADER = "patient,day,specimen,population,event_count,parent_count"


def table(folder: Path, text: str) -> Path:
    path = folder / "counts.csv"
    path.write_text(text)
    return path


def test_ingest__counts_enter_as_counts(tmp_path: Path, study: Study) -> None:
    """Counts, missing counts and counts without a known parent are told apart, and marked external."""
    rows = ["P1,30,blood,CD45,1000,", "P1,30,blood,CD45/T,600,", "P1,30,blood,CD45/B,,", "P2,-7,blood,CD45,0,0"]
    summary = ingest(study, table(tmp_path, "\n".join([HEADER, *rows])), "partner")
    assert (2, 0) == (summary.done, summary.failed)
    samples = validate(read_samples(study, "partner"))
    assert ("external", "counted elsewhere") == (samples.attrs["source"], samples["definition"].values[0])
    first = samples.isel(sample=0)
    assert [1000, 600, -1] == first["event_count"].values.tolist()
    assert [STATUS[name] for name in ("counted", "counted", "not_measured")] == first["status"].values.tolist()
    assert [True, False, True] == percent_of_parent(first).isnull().values.tolist()
    second = samples.isel(sample=1)
    assert [STATUS[name] for name in ("not_evaluable", "not_measured", "not_measured")] == second[
        "status"
    ].values.tolist()
    assert () == verify(study).problems


def test_ingest__again_records_nothing_and_a_correction_replaces(tmp_path: Path, study: Study) -> None:
    """The same table is held already; a corrected count takes the place of the old one."""
    text = f"{HEADER}\nP1,30,blood,CD45,1000,\nP2,30,blood,CD45,900,\n"
    ingest(study, table(tmp_path, text), "partner")
    assert 2 == ingest(study, table(tmp_path, text), "partner").skipped
    corrected = ingest(study, table(tmp_path, text.replace("900", "901")), "partner")
    assert (1, 1) == (corrected.done, corrected.skipped)
    assert [1000, 901] == read_samples(study, "partner")["event_count"].values.ravel().tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADER}\nP1,30,blood,CD45,55.3,\n", r"row 2, column event_count: is no count.*got '55.3'. Percentages are"),
        (f"{HEADER}\nP1,30,blood,CD45,-1,\n", r"column event_count: is no count"),
        (f"{HEADER}\nP1,30,blood,CD45,5,4\n", r"row 2: counts more events than its parent holds; got 5 of 4"),
        (f"{HEADER}\nP1,30,blood,,5,\n", r"row 2: names no population"),
        (f"{HEADER}\nP1,30,blood,CD45,5,\nP1,30,blood,CD45,5,\n", r"row 3: has 'CD45' a second time"),
        (f"{HEADER}\nP1,x,blood,CD45,5,\n", r"row 2, column day: is no whole number"),
        ("patient,day,population,event_count\n", r"row 1: lacks specimen"),
        (f"{HEADER},day\n", r"row 1: has day twice"),
        (
            f"{HEADER},replicate\nP1,3,blood,A,5,,\nP1,3,blood,B,5,,1\n",
            r"row 3: is the sample of row 2",
        ),
    ],
)
def test_ingest__refuses_what_is_no_count(tmp_path: Path, study: Study, text: str, message: str) -> None:
    """A wrong cell is named by row and column, and nothing is recorded."""
    with pytest.raises(SheetError, match=message):
        ingest(study, table(tmp_path, text), "partner")
    assert 0 == verify(study).record_count


def test_ingest__teiko_longitudinal(shared: Path, tmp_path: Path, study: Study) -> None:
    """A wide table of days 0, 7 and 14: every count stands in its cell of the cube."""
    wide = pd.read_csv(shared / "data" / "teiko_longitudinal" / "cell-count.csv")
    wide = wide[wide["subject"].isin(wide["subject"].unique()[:300])]
    populations = ["b_cell", "cd8_t_cell", "cd4_t_cell", "nk_cell", "monocyte"]
    kept = ["subject", "time_from_treatment_start", "sample"]
    long = wide.melt(kept, populations, "population", "event_count").rename(
        columns={"subject": "patient", "time_from_treatment_start": "day", "sample": "file"}
    )
    long.assign(specimen="blood").to_csv(tmp_path / "long.csv", index=False)
    assert len(wide) == ingest(study, tmp_path / "long.csv", "teiko").done
    cube = read_cube(study, "teiko")
    found = cube["event_count"].to_series()
    expected = long.set_index(["patient", "day", "population"])["event_count"].sort_index()
    found = found[found >= 0].droplevel("specimen").sort_index()
    assert expected.tolist() == found.tolist()


def test_ingest__lyoplate_tables(shared: Path, tmp_path: Path, study: Study) -> None:
    """Automated counts of many centres: paths rebuilt from parents, every count found again."""
    source = shared / "data" / "lyoplate_expert_tables" / "Brinkman_T-Cells-Counts.csv"
    with source.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines = [HEADER.replace("specimen", "specimen,panel,replicate,file").split(",")]
    expected = {}
    files: dict[tuple[str, str], list[str]] = {}
    paths: dict[tuple[str, str], str] = {}
    for row in rows:
        name, centre = row["Filename"], row["Center"]
        # Names repeat under different parents: only the path tells them apart.
        above = paths.get((name, row["Parent population"]), "")
        population = f"{above}/{row['Population']}" if above else row["Population"]
        paths[name, row["Population"]] = population
        donor = name.split("_")[0]
        replicates = files.setdefault((donor, centre), [])
        replicates.extend([name] if name not in replicates else [])
        # A cell that says why there is no count ("No FSC-H/W channel") is a missing count.
        counts = [row[column] if row[column].isdigit() else "" for column in ("Cell count", "Parent Cell count")]
        where = [donor, "0", "blood", centre, str(replicates.index(name) + 1), name]
        lines.append([*where, population, *counts])
        if counts[0]:
            expected[name, centre, population] = int(counts[0])
    with (tmp_path / "long.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
    ingest(study, tmp_path / "long.csv", "lyoplate")
    samples = read_samples(study, "lyoplate")
    table = samples[["event_count", "file"]].to_dataframe().reset_index()
    counted = table[table["event_count"] >= 0]
    found = {
        (row.file, row.panel, row.path): row.event_count
        for row in counted[["file", "panel", "path", "event_count"]].itertuples()
    }
    assert expected == found


def test_ingest__a_table_that_cannot_be_read(tmp_path: Path, study: Study) -> None:
    """No file, or no text, is an error that names the table."""
    with pytest.raises(SheetError, match=r"none\.csv: cannot be read as CSV in UTF-8"):
        ingest(study, tmp_path / "none.csv", "partner")
    (tmp_path / "counts.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(SheetError, match=r"counts\.csv: cannot be read as CSV in UTF-8"):
        ingest(study, tmp_path / "counts.csv", "partner")
