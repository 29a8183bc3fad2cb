"""From a CSV file to validated samples."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, get_args

from pydantic import ValidationError

from cytorecon.errors import SheetError
from cytorecon.sheet.conflicts import conflicts, refuse
from cytorecon.sheet.sample import COLUMNS, Sample, Specimen

REQUIRED = ("file", "patient", "day", "specimen")


def read_sheet(path: str | Path) -> tuple[Sample, ...]:
    """Read and validate a sample sheet.

    Parameters
    ----------
    path
        A CSV file in UTF-8 (a byte-order mark is tolerated), separated by commas or semicolons. Its first row
        names the columns; ``file``, ``patient``, ``day`` and ``specimen`` are required, unknown columns are
        kept as text in `Sample.extra`, and an empty cell is a missing value. Files are named relative to
        the sheet and lie inside its folder. Whether a file exists is found out when it is gated.

    Returns
    -------
    tuple of Sample
        One a row, in the order of the sheet.

    Raises
    ------
    SheetError
        A column is missing; a value is wrong; a path leaves the folder; two rows are the same sample, use the
        same data, or claim the same timepoint. It lists every wrong cell by row and column, up to 20.
    """
    path = Path(path)
    rows = _rows(path)
    header = _header(rows[0] if rows else [], path.name)
    absolute = path.resolve()
    problems: list[SheetError] = []
    samples: list[Sample] = []
    for number, cells in enumerate(rows[1:], start=2):
        if any(cells):
            try:
                samples.append(_sample(header, cells, number, absolute))
            except _RowError as error:
                problems.extend(error.problems)
    if not samples and not problems:
        raise SheetError(path.name, "has no rows", expected="one row a file", code="empty-sheet")
    problems.extend(conflicts(samples))
    refuse(problems, path.name)
    return tuple(samples)


# What a spreadsheet leaves where a formula failed; as a patient's name it would join strangers.
SPREADSHEET_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!")


class _RowError(Exception):
    def __init__(self, problems: list[SheetError]) -> None:
        self.problems = problems


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SheetError(path.name, "cannot be read", got=error.strerror or str(error), code="no-sheet") from None
    except UnicodeDecodeError as error:
        row = error.object.count(b"\n", 0, error.start) + 1
        raise SheetError(
            f"{path.name}, row {row}", "is not UTF-8", code="not-utf8",
            remedy="In the spreadsheet, save as “CSV UTF-8”.",
        ) from None  # fmt: skip
    if "\0" in text:
        raise SheetError(path.name, "is not a text file", expected="CSV in UTF-8", code="not-text")
    first = text.split("\n", 1)[0]
    try:
        return [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(first), strict=True)
        ]
    except csv.Error as error:
        raise SheetError(path.name, "is not sound CSV", got=str(error), code="not-csv") from None


def _delimiter(first: str) -> str:
    """Of comma and semicolon, the one that makes the first line a header; they cannot both."""

    def known(delimiter: str) -> int:
        names = next(csv.reader([first], delimiter=delimiter), [])
        return len({name.strip().casefold() for name in names} & set(COLUMNS))

    return ";" if known(";") > known(",") else ","


def _header(cells: Sequence[str], sheet: str) -> list[str]:
    names = [cell.casefold() if cell.casefold() in COLUMNS else cell for cell in cells]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise SheetError(
            f"{sheet}, row 1", f"lacks the column {', '.join(missing)}", expected=", ".join(REQUIRED),
            got=", ".join(filter(None, names[:30])) or "no header", code="missing-column",
            remedy="Name the columns in the first row, separated by commas or semicolons.",
        )  # fmt: skip
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise SheetError(f"{sheet}, row 1", f"has the column {twice[0]} twice", code="repeated-column")
    return names


def _sample(header: Sequence[str], cells: Sequence[str], row: int, sheet: Path) -> Sample:
    folder = sheet.parent
    if len(cells) < len(header) or any(cells[len(header) :]):
        raise _RowError([_problem(row, "", f"has {len(cells)} cells", expected=str(len(header)))])
    given = {name: cell for name, cell in zip(header, cells, strict=False) if cell}
    if "" in given:
        raise _RowError([_problem(row, "", "has a value in a column without a name")])
    values: dict[str, Any] = {name: given[name] for name in COLUMNS if name in given}
    values["extra"] = {name: cell for name, cell in given.items() if name not in COLUMNS}
    problems = [_problem(row, name, "is empty") for name in REQUIRED if name not in given]
    problems += [
        _problem(row, name, "holds a spreadsheet's error", expected="a value", got=cell)
        for name, cell in given.items()
        if cell in SPREADSHEET_ERRORS
    ]
    values["file_name"] = values.get("file", "missing")
    try:
        values["file"] = _inside(folder, values.get("file", "missing"), row, "file")
        if values.get("compensation", "").lower().endswith(".csv"):
            values["compensation_file"] = _inside(folder, values["compensation"], row, "compensation")
        if "laip" in values:
            values["laip_file"] = _inside(folder, values["laip"], row, "laip")
    except SheetError as error:
        problems.append(error)
        values["file"] = folder
    try:
        sample = Sample(**values, sheet=sheet, row=row)
    except ValidationError as error:
        wrong = [_from_pydantic(row, dict(detail)) for detail in error.errors()]
        raise _RowError([*problems, *(one for one, column in wrong if column in given)]) from None
    if problems:
        raise _RowError(problems)
    return sample


def _from_pydantic(row: int, detail: dict[str, Any]) -> tuple[SheetError, str]:
    column = str(detail["loc"][0])
    message = str(detail["msg"]).removeprefix("Value error, ")
    expected = ", ".join(get_args(Specimen)) if column == "specimen" else ""
    problem = "is not a known specimen" if expected else message[0].lower() + message[1:]
    # What identifies a patient, or may, is not repeated.
    got = "" if column in ("patient", "comment", "extra") else repr(str(detail["input"])[:60])
    return _problem(row, column, problem, expected=expected, got=got), column


def _problem(row: int, column: str, problem: str, expected: str = "", got: str = "") -> SheetError:
    where = f"row {row}, column {column}" if column else f"row {row}"
    return SheetError(where, problem, expected=expected, got=got, code="bad-cell")


def _inside(folder: Path, text: str, row: int, column: str) -> Path:
    """Absolute path of a file named relative to the sheet; never outside the sheet's folder."""
    windows = PureWindowsPath(text)
    if PurePosixPath(text).is_absolute() or windows.drive or windows.root:
        problem = "is an absolute path"
    elif ".." in PurePosixPath(text).parts or ".." in windows.parts:
        problem = "leaves the sheet's folder"
    elif not _resolved(folder / text).is_relative_to(folder):
        problem = "is a link out of the sheet's folder"
    else:
        return folder / text
    raise SheetError(
        f"row {row}, column {column}", problem, expected="a path inside the folder of the sheet",
        got=repr(text[:200]), remedy="Put the sheet beside or above its files.", code="path-outside",
    )  # fmt: skip


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name too long
        return Path("/")
