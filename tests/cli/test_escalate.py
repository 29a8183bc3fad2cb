"""``cytorecon escalate``."""

from __future__ import annotations

from pathlib import Path

from .conftest import EXAMPLES, Run

HEADER = "level,patient,evaluable,dlt,window_open\n"


def cohort(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "cohort.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_escalate__says_decision_and_tallies(run: Run) -> None:
    """The decision comes first, then the patients of every level."""
    done = run("escalate", EXAMPLES / "cohort.csv")
    assert (0, True) == (done.code, done.out.startswith("Decision: hold (level 1). An observation window is open"))
    assert ["1", "3", "1", "1", "1"] in [line.split() for line in done.out.splitlines()]


def test_escalate__json(run: Run, tmp_path: Path) -> None:
    """The document holds the decision, the level it concerns and how many patients it needs."""
    done = run("escalate", cohort(tmp_path, *(f"1,P{n},yes,no,no" for n in range(3))), "--json")
    assert ("escalate", 2, 3) == tuple(done.document[name] for name in ("decision", "level", "patients"))


def test_escalate__awaits_review_where_the_design_does_not_fit(run: Run, tmp_path: Path) -> None:
    """Seven evaluable patients at one level are not 3+3: a person has to look."""
    done = run("escalate", cohort(tmp_path, *(f"1,P{n},yes,no,no" for n in range(7))))
    assert (4, True) == (done.code, done.out.startswith("Decision: review"))


def test_escalate__names_the_column_that_is_missing(run: Run, tmp_path: Path) -> None:
    """A cohort without the observation window is refused."""
    path = tmp_path / "cohort.csv"
    path.write_text("level,patient,evaluable,dlt\n1,P1,yes,no\n", encoding="utf-8")
    done = run("escalate", path)
    assert (3, True) == (done.code, "lacks the column window_open" in done.err)
