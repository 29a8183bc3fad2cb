"""Reference ranges: by age, by definition, never by the nearest bin."""

from __future__ import annotations

from pathlib import Path

import pytest
from blood_cohorts import blood, cd4_rows, patients, samples_of

from cytorecon.errors import CountError
from cytorecon.reconstitution import compare_with_reference, concentration_series, full_definitions, read_reference

SHEARER, SCHATORJE = read_reference("shearer2003"), read_reference("schatorje2012")


def position(cd4: float, age: float | None, table: str = "shearer2003", events: int = 100_000) -> tuple[str, str]:
    """Where a CD4 count on day 0 lies for an age in years."""
    samples = samples_of(cd4_rows("P", {0: cd4}, events, wbc=10_000.0))
    series = concentration_series(samples, ["CD4 T cells"])
    ages = {} if age is None else {"P": age}
    row = compare_with_reference(series, full_definitions(samples), ages, read_reference(table)).iloc[0]
    return row["reference_position"], row["reference"]


def test_read_reference__holds_the_published_figures() -> None:
    """Rows are those of the reproductions, with version, source and what is unverified."""
    cd4 = SHEARER.subset("CD3+ CD4+")
    assert cd4 is not None
    assert [(one.low, one.high) for one in cd4.ranges][:3] == [(1600, 4000), (1800, 4000), (1400, 4300)]
    assert (SHEARER.version, len(cd4.ranges), "unverified" in SHEARER.bounds) == ("1.0.0", 7, True)
    cd3 = SCHATORJE.subset("CD3+")
    assert cd3 is not None
    assert [(one.low, one.high) for one in cd3.ranges][-1] == (850, 3200)


@pytest.mark.parametrize(
    ("cd4", "expected"), [(649.9, "below"), (650, "within"), (1500, "within"), (1500.1, "above")]
)  # fmt: skip
def test_compare_with_reference__bounds_are_within(cd4: float, expected: str) -> None:
    """At eight years CD4 is 650 to 1500, both included."""
    assert position(cd4, 8.0) == (expected, "shearer2003 1.0.0 CD4")


@pytest.mark.parametrize(
    ("age", "expected"), [(11.99, "within"), (12.0, "above"), (17.99, "above"), (18.0, "no_reference_for_age")]
)  # fmt: skip
def test_compare_with_reference__age_bins_are_half_open(age: float, expected: str) -> None:
    """The twelfth birthday opens the next bin; at eighteen Shearer ends, and no nearest bin is taken."""
    assert position(1400, age)[0] == expected


def test_compare_with_reference__age_is_that_of_the_sample() -> None:
    """A child of 5.9 at transplant is judged as six years old on day 100."""
    samples = samples_of(cd4_rows("P", {0: 680, 100: 680}, wbc=10_000.0))
    series = concentration_series(samples, ["CD4 T cells"])
    found = compare_with_reference(series, full_definitions(samples), {"P": 5.9}, SHEARER)
    assert found["reference_position"].tolist() == ["below", "within"]


def test_compare_with_reference__shearers_nk_is_never_applied_to_cd56_alone() -> None:
    """CD3−CD56+ has no reference; CD3−(CD16 or CD56)+ has Shearer's."""
    samples = blood(patients(1), days=(60,))
    series = concentration_series(samples, ["NK cells", "NK clinical"])
    found = compare_with_reference(series, full_definitions(samples), {"SIM-001": 8.0}, SHEARER)
    own = dict(zip(found["population"], zip(found["reference_position"], found["reference"], strict=True), strict=True))
    assert own["NK cells"] == ("no_reference_for_definition", "")
    assert own["NK clinical"][1] == "shearer2003 1.0.0 NK"


def test_shipped_templates__trial_nk_has_no_reference_anywhere() -> None:
    """No shipped table accepts CD3−CD56+, with or without further markers."""
    for name in ("shearer2003", "schatorje2012", "mayo2013_adult"):
        accepted = [text for subset in read_reference(name).subsets for text in subset.accepted]
        assert not {"CD3- CD56+", "CD3- CD56+ CD19- CD14-"} & set(accepted)


def test_compare_with_reference__several_tables_take_over_by_age() -> None:
    """A child's table first, then an adult's."""
    samples = samples_of(cd4_rows("P", {0: 500}, wbc=10_000.0))
    series = concentration_series(samples, ["CD4 T cells"])
    tables = [SHEARER, read_reference("mayo2013_adult")]
    found = compare_with_reference(series, full_definitions(samples), {"P": 20.0}, tables).iloc[0]
    assert (found["reference_position"], found["reference"]) == ("within", "mayo2013_adult 1.0.0 CD4")


def test_compare_with_reference__censored_and_unknown() -> None:
    """Below an LLOQ under the lower bound is below; above it nothing is said; without an age neither."""
    assert position(1.0, 8.0)[0] == "below"
    assert position(40.0, 8.0, events=500)[0] == "undetermined"
    assert position(700, None)[0] == "age_unknown"


def test_full_definitions__begin_below_the_lymphocytes() -> None:
    """A population is its own phenotype after those of its ancestors."""
    found = full_definitions(blood(patients(1), days=(30,)))
    assert (found["CD4 T cells"], found["B cells"]) == ("CD3+ CD4+ CD8-", "CD3- CD19+")


def test_read_reference__a_laboratorys_own(tmp_path: Path) -> None:
    """A file of the same form is read; one that is not is refused with what is wrong."""
    text = (Path(__file__).parents[2] / "cytorecon/reconstitution/references/schatorje2012.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace('"schatorje2012"', '"own"'), encoding="utf-8")
    assert read_reference(own).name == "own"
    own.write_text(text.replace('to = "7 d"', 'to = "one week"', 1), encoding="utf-8")
    with pytest.raises(CountError, match=r"an age is not understood.*got 'one week'"):
        read_reference(own)
    own.write_text(text.replace('from = "7 d"', 'from = "3 d"', 1), encoding="utf-8")
    with pytest.raises(CountError, match="CD3: has two ranges for one age"):
        read_reference(own)
    own.write_text(text.replace("low = 1400, high = 6800", "low = 6800, high = 1400", 1), encoding="utf-8")
    with pytest.raises(CountError, match="has an empty range"):
        read_reference(own)
    own.write_text('name = "own"', encoding="utf-8")
    with pytest.raises(CountError, match="is no reference table"):
        read_reference(own)
    with pytest.raises(CountError, match=r"is no shipped table; expected mayo2013_adult, schatorje2012, shearer2003"):
        read_reference("comans")
    with pytest.raises(CountError, match="cannot be read"):
        read_reference(tmp_path / "absent.toml")
