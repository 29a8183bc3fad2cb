"""Reading sample sheets: what is accepted, and where each error points."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import SheetError
from cytorecon.sheet import Sample, check_samples, read_sheet

HEADER = "file,patient,day,specimen"


def sheet(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "cohort.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_read_sheet__reads_every_column(tmp_path: Path) -> None:
    """Every column of the sheet arrives with its type, unknown ones as text."""
    path = sheet(
        tmp_path,
        "file,dataset,patient,transplant,timepoint,day,specimen,panel,replicate,compensation,wbc_per_ul,"
        "lymphocyte_percent,beads_per_tube,sample_volume_ul,dilution,bead_lot,comment,dose_level\n"
        "runs/a.fcs,2,P1,2,30,+31,blood,tbnk,3,none,4200,31.5,50000,50,2,L7,hazy,one\n",
    )
    expected = Sample(
        file=tmp_path.resolve() / "runs/a.fcs", file_name="runs/a.fcs", dataset=2, patient="P1", transplant=2,
        timepoint=30, day=31, specimen="blood", panel="tbnk", replicate=3, compensation="none",
        wbc_per_ul=4200, lymphocyte_percent=31.5, beads_per_tube=50000, sample_volume_ul=50, dilution=2,
        bead_lot="L7", comment="hazy", extra={"dose_level": "one"}, sheet=path.resolve(), row=2,
    )  # fmt: skip
    assert (expected,) == read_sheet(path)


def test_read_sheet__four_columns_are_enough(tmp_path: Path) -> None:
    """What is not said stays missing, never zero."""
    (sample,) = read_sheet(sheet(tmp_path, f"{HEADER}\na.fcs,P1,-12,marrow\n"))
    assert (-12, None, None, 1, 1, "") == (
        sample.day, sample.timepoint, sample.wbc_per_ul, sample.transplant, sample.replicate, sample.panel
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "file;patient;day;specimen\na.fcs;P1;-7;blood\n",
        "\ufefffile,patient,day,specimen\r\na.fcs,P1,-7,blood\r\n",
        "Patient,Day,Specimen,File\n\n P1 ,−7,blood,a.fcs\n,,,\n",
        '"file","patient","day","specimen"\n"a.fcs","P1","-7","blood"',
    ],
    ids=["semicolons", "byte-order mark", "order, case, blanks, typographic minus", "quotes"],
)
def test_read_sheet__tolerates_what_spreadsheets_write(tmp_path: Path, text: str) -> None:
    """Separators, marks, blank rows and case change nothing."""
    (sample,) = read_sheet(sheet(tmp_path, text))
    assert ("a.fcs", "P1", -7, "blood") == (sample.file_name, sample.patient, sample.day, sample.specimen)


def test_read_sheet__counts_rows_like_a_spreadsheet(tmp_path: Path) -> None:
    """A blank row and a line break inside a cell do not shift row numbers."""
    text = f'{HEADER},comment\na.fcs,P1,1,blood,"two\nlines"\n\nb.fcs,P1,2,blood,\n'
    assert [2, 4] == [sample.row for sample in read_sheet(sheet(tmp_path, text))]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.fcs,P1,seven,blood", r"row 2, column day: is no whole number.*got 'seven'"),
        ("a.fcs,P1,1.5,blood", r"row 2, column day: is no whole number"),
        ("a.fcs,P1,1_0,blood", r"row 2, column day: is no whole number"),
        ("a.fcs,P1,20240131,blood", r"row 2, column day: .*less than or equal to 36500"),
        ("a.fcs,P1,1,plasma", r"row 2, column specimen.*expected blood, marrow, product, graft, control"),
        ("a.fcs,,1,blood", r"row 2, column patient: is empty"),
        (",P1,1,blood", r"row 2, column file: is empty"),
        ("a.fcs,P1,1", r"row 2: has 3 cells; expected 4"),
        ("a.fcs,P1,1,blood,x", r"row 2: has 5 cells; expected 4"),
        ("../a.fcs,P1,1,blood", r"row 2, column file: leaves the sheet's folder.*Put the sheet"),
        ("sub/../../a.fcs,P1,1,blood", r"row 2, column file: leaves the sheet's folder"),
        ("..\\a.fcs,P1,1,blood", r"row 2, column file: leaves the sheet's folder"),
        ("/etc/a.fcs,P1,1,blood", r"row 2, column file: is an absolute path"),
        ("C:\\a.fcs,P1,1,blood", r"row 2, column file: is an absolute path"),
    ],
)
def test_read_sheet__names_row_and_column(tmp_path: Path, row: str, message: str) -> None:
    """A wrong cell is found by its row and column."""
    with pytest.raises(SheetError, match=message):
        read_sheet(sheet(tmp_path, f"{HEADER}\n{row}\n"))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("wbc_per_ul", "4.2", r"looks like 10⁹/L, but this column is in 1/µL; multiply by 1000.*got '4.2'"),
        ("wbc_per_ul", "12", r"looks like 10⁹/L"),
        ("wbc_per_ul", "4,2", r"has a comma; write a decimal point"),
        ("wbc_per_ul", "4,200", r"has a comma"),
        ("wbc_per_ul", "-5", r"is no number"),
        ("wbc_per_ul", "nan", r"is no number"),
        ("wbc_per_ul", "0", r"greater than 0"),
        ("lymphocyte_percent", "101", r"less than or equal to 100"),
        ("beads_per_tube", "0", r"greater than 0"),
        ("sample_volume_ul", "50 uL", r"is no number"),
        ("replicate", "0", r"greater than or equal to 1"),
        ("timepoint", "30.0", r"is no whole number"),
        ("control_for", "b.fcs", r"row 2, column control_for: names a file that is in no row"),
        ("compensation", "../m.csv", r"row 2, column compensation: leaves the sheet's folder"),
    ],
)
def test_read_sheet__refuses_doubtful_numbers(tmp_path: Path, column: str, value: str, message: str) -> None:
    """Numbers that could mean another are refused with what to write instead."""
    with pytest.raises(SheetError, match=rf"(?s){column}.*{message}|{message}"):
        read_sheet(sheet(tmp_path, f'{HEADER},{column}\na.fcs,P1,1,blood,"{value}"\n'))


def test_read_sheet__low_count_may_say_its_unit(tmp_path: Path) -> None:
    """A count in aplasia is accepted where the cell itself says the unit."""
    (sample,) = read_sheet(sheet(tmp_path, f"{HEADER},wbc_per_ul\na.fcs,P1,5,blood,20/uL\n"))
    assert 20.0 == sample.wbc_per_ul


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,patient,specimen\na.fcs,P1,blood\n", r"row 1: lacks the column day; expected file, patient"),
        ("", r"row 1: lacks the column file, patient, day, specimen.*got no header"),
        (f"{HEADER},day\na.fcs,P1,1,blood,1\n", r"row 1: has the column day twice"),
        (f"{HEADER}\n", r"has no rows"),
        (f"{HEADER},\na.fcs,P1,1,blood,x\n", r"row 2: has a value in a column without a name"),
        (f'{HEADER}\na.fcs,P1,1,"blood\n', r"is not sound CSV"),
        (f"{HEADER}\na.fcs,P1,1,blo\0od\n", r"is not a text file"),
        (f"{HEADER}\na.fcs,P1,1,blood\na.fcs,P1,2,blood\n", r"row 3 \(a.fcs\): uses the same file.*row 2"),
        (
            f"{HEADER}\na.fcs,P1,1,blood\nb.fcs,P1,1,blood\n",
            r"row 3 \(b.fcs\): is the same sample",
        ),
        (
            f"{HEADER},timepoint\na.fcs,P1,29,blood,30\nb.fcs,P1,31,blood,30\n",
            r"row 3 \(b.fcs\): claims the same timepoint 30 .*row 2 \(a.fcs\)",
        ),
    ],
)
def test_read_sheet__refuses_a_bad_sheet(tmp_path: Path, text: str, message: str) -> None:
    """What is wrong with the sheet as a whole is said in one sentence."""
    with pytest.raises(SheetError, match=message):
        read_sheet(sheet(tmp_path, text))


def test_read_sheet__refuses_another_encoding(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are not guessed at."""
    with pytest.raises(SheetError, match=r"row 2: is not UTF-8.*CSV UTF-8"):
        read_sheet(sheet(tmp_path, f"{HEADER}\na.fcs,Müller,1,blood\n", encoding="latin-1"))


def test_read_sheet__refuses_an_absent_sheet(tmp_path: Path) -> None:
    """A missing sheet is an error of the sheet, not of Python."""
    with pytest.raises(SheetError, match=r"none.csv: cannot be read; got No such file"):
        read_sheet(tmp_path / "none.csv")


def test_read_sheet__collects_all_problems(tmp_path: Path) -> None:
    """One message lists every wrong cell, up to a limit."""
    rows = "".join(f"f{i}.fcs,P{i},x,plasma\n" for i in range(15))
    with pytest.raises(SheetError, match=r"(?s)30 problems:\n  row 2.*row 3.*row 11.*and 10 more$"):
        read_sheet(sheet(tmp_path, f"{HEADER}\n{rows}"))


def test_read_sheet__refuses_a_link_out_of_its_folder(tmp_path: Path) -> None:
    """A link inside the folder that points outside is refused; one that stays inside is not."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "outside.fcs").touch()
    (inside / "out.fcs").symlink_to(tmp_path / "outside.fcs")
    (inside / "in.fcs").symlink_to(inside / "real.fcs")
    (inside / "loop.fcs").symlink_to(inside / "loop.fcs")
    assert 1 == len(read_sheet(sheet(inside, f"{HEADER}\nin.fcs,P1,1,blood\n")))
    for name in ("out.fcs", "loop.fcs"):
        with pytest.raises(SheetError, match=r"row 2, column file: is a link out of the sheet's folder"):
            read_sheet(sheet(inside, f"{HEADER}\n{name},P1,1,blood\n"))


def test_read_sheet__says_no_patient(tmp_path: Path) -> None:
    """An error never repeats what identifies a patient."""
    text = f"{HEADER},comment\na.fcs,Ivanov\x07,x,plasma,Petrov\nb.fcs,Ivanov\x07,x,blood,Petrov\n"
    with pytest.raises(SheetError) as caught:
        read_sheet(sheet(tmp_path, text))
    assert not {"Ivanov", "Petrov"} & set(str(caught.value).replace("\x07", " ").split())


def test_check_samples__accepts_replicates_and_controls() -> None:
    """Replicates may claim one timepoint, and so may a control beside its sample."""
    first = Sample(file=Path("/a"), file_name="a", patient="P", day=30, timepoint=30, specimen="blood")
    second = first.model_copy(update={"file": Path("/b"), "file_name": "b", "replicate": 2})
    control = first.model_copy(update={"file": Path("/c"), "file_name": "c", "day": 31, "control_for": "a"})
    rows = [first, second, control]
    check_samples(rows)
    with pytest.raises(SheetError, match="uses the same file"):
        check_samples([*rows, rows[0].model_copy(update={"day": 99, "timepoint": 99})])


@given(st.integers(-36_500, 36_500))
def test_sample__day_survives_text(day: int) -> None:
    """Every signed day is read back from its text."""
    sample = Sample.model_validate(
        {"file": "/a", "file_name": "a", "patient": "P", "day": f"{day:+d}", "specimen": "blood"}
    )
    assert day == sample.day


def test_read_sheet__refuses_what_a_failed_formula_left(tmp_path: Path) -> None:
    """Two rows of #N/A are not one patient."""
    (tmp_path / "s.csv").write_text("file,patient,day,specimen\na.fcs,#N/A,1,blood\n", encoding="utf-8")
    with pytest.raises(SheetError, match="row 2, column patient: holds a spreadsheet's error"):
        read_sheet(tmp_path / "s.csv")


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_read_sheet__a_link_is_the_file_it_points_to(tmp_path: Path, link: Callable[[Path, Path], None]) -> None:
    """A second row of the same bytes under a link's name is refused."""
    (tmp_path / "a.fcs").write_bytes(b"events")
    link(tmp_path / "a.fcs", tmp_path / "b.fcs")
    with pytest.raises(SheetError, match=r"row 3 \(b.fcs\): uses the same file and data set as row 2"):
        read_sheet(sheet(tmp_path, f"{HEADER}\na.fcs,P1,1,blood\nb.fcs,P2,1,blood\n"))
