"""The cohort file of a dose escalation: one row a patient."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from cytorecon.errors import ProtocolError

COLUMNS = ("level", "patient", "evaluable", "dlt", "window_open")
_YES_NO = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}


@dataclass(frozen=True)
class CohortRow:
    """One patient of one level.

    Parameters
    ----------
    level, patient
        Dose level and identifier.
    evaluable
        Whether the patient can be judged for dose-limiting toxicity; None while the window is open.
    dlt
        A dose-limiting toxicity occurred; None while the window is open and none was seen.
    window_open
        The observation window, which the site has to define, has not passed.
    row
        Line of the file.
    """

    level: int
    patient: str
    evaluable: bool | None
    dlt: bool | None
    window_open: bool
    row: int = 0

    @property
    def counts(self) -> bool:
        """Whether the patient counts now: a toxicity counts at once, its absence when the window has passed."""
        return self.dlt is True or (self.evaluable is True and not self.window_open)

    @property
    def pending(self) -> bool:
        """Whether the patient may still come to count."""
        return self.window_open and self.dlt is not True and self.evaluable is not False


def read_cohort(path: str | Path) -> tuple[CohortRow, ...]:
    """A cohort file: CSV with the columns of `COLUMNS`, separated by comma or semicolon, yes or no.

    Raises
    ------
    ProtocolError
        A column is missing, a cell is neither yes nor no, or a patient occurs twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(str(path), "cannot be read as UTF-8 text", got=type(error).__name__) from None
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    names = [(name or "").strip().casefold() for name in reader.fieldnames or ()]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise ProtocolError(
            str(path), f"lacks the column {missing[0]}", expected=", ".join(COLUMNS), got=", ".join(names)
        )
    reader.fieldnames = names
    rows = tuple(_row(cells, f"{path}, line {line}", line) for line, cells in enumerate(reader, start=2))
    patients = [row.patient for row in rows]
    for row in rows:
        if patients.count(row.patient) > 1:
            remedy = "Give each patient one row"
            raise ProtocolError(f"{path}, line {row.row}", "the patient occurs twice", remedy=remedy)
    return rows


def _row(cells: dict[str, str | None], where: str, line: int) -> CohortRow:
    values = {name: (cells.get(name) or "").strip() for name in COLUMNS}
    if not values["level"].isdecimal() or not values["patient"]:
        raise ProtocolError(where, "has no level or no patient", expected="a level such as 1 and a name")
    flags = {name: _flag(values[name], f"{where}: {name}") for name in ("evaluable", "dlt", "window_open")}
    evaluable, dlt, window_open = flags["evaluable"], flags["dlt"], flags["window_open"]
    if window_open is None:
        remedy = "The protocol's record gives no window: the site has to define one and say yes or no"
        raise ProtocolError(where, "window_open is empty", expected="yes or no", remedy=remedy)
    if not window_open and (evaluable is None or (dlt is None and evaluable)):
        raise ProtocolError(where, "the window has passed, but evaluable or dlt is empty", expected="yes or no")
    if dlt and evaluable is False:
        raise ProtocolError(where, "a toxicity in a patient who is not evaluable", remedy="Correct one of the two")
    return CohortRow(int(values["level"]), values["patient"], evaluable, dlt, window_open, line)


def _flag(text: str, where: str) -> bool | None:
    if text and text.casefold() not in _YES_NO:
        raise ProtocolError(where, "is neither yes nor no", expected="yes, no or empty", got=repr(text))
    return _YES_NO[text.casefold()] if text else None
