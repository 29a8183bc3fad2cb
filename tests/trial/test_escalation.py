"""3+3 decisions for every state of a cohort."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import ProtocolError
from cytorecon.trial import CohortRow, escalate, read_cohort, to_mapping

from .cases import EXAMPLES, PROTOCOL


def rows(**levels: str) -> list[CohortRow]:
    """``level1="00D?x"``: 0 without toxicity, D with one, ? window open, x not evaluable, d toxicity, window open."""
    meaning = {
        "0": (True, False, False),
        "D": (True, True, False),
        "d": (None, True, True),
        "?": (None, None, True),
        "x": (False, False, False),
    }
    found = []
    for name, patients in levels.items():
        level = int(name.removeprefix("level"))
        found += [CohortRow(level, f"{name}-{index}", *meaning[each]) for index, each in enumerate(patients)]
    return found


@pytest.mark.parametrize(
    ("levels", "decision", "level", "patients"),
    [
        ({}, "enrol", 1, 3),
        ({"level1": "0"}, "enrol", 1, 2),
        ({"level1": "x"}, "enrol", 1, 3),
        ({"level1": "00x"}, "enrol", 1, 1),  # a patient who is not evaluable is replaced
        ({"level1": "D0"}, "enrol", 1, 1),
        ({"level1": "00?"}, "hold", 1, 0),
        ({"level1": "000"}, "escalate", 2, 3),
        ({"level1": "00D"}, "expand", 1, 3),
        ({"level1": "00D0"}, "expand", 1, 2),
        ({"level1": "00D00?"}, "hold", 1, 0),
        ({"level1": "00D000"}, "escalate", 2, 3),
        ({"level1": "0DD"}, "de_escalate", 0, 3),
        ({"level1": "DD"}, "de_escalate", 0, 3),  # two are enough, before the third
        ({"level1": "Dd?"}, "de_escalate", 0, 3),  # a toxicity counts while the window is open
        ({"level1": "00D00D"}, "de_escalate", 0, 3),
        ({"level1": "000", "level2": "000"}, "escalate", 3, 3),
        ({"level1": "000", "level2": "000", "level3": "000"}, "mtd_not_reached", 3, 0),
        ({"level1": "000", "level2": "000", "level3": "D00"}, "expand", 3, 3),
        ({"level1": "000", "level2": "000", "level3": "D00000"}, "mtd_not_reached", 3, 0),
        ({"level1": "000", "level2": "DD"}, "expand", 1, 3),  # six are needed to call it the MTD
        ({"level1": "000D", "level2": "DD"}, "expand", 1, 2),
        ({"level1": "0000??", "level2": "DD"}, "hold", 1, 0),
        ({"level1": "00000D", "level2": "DD0"}, "mtd", 1, 0),
        ({"level1": "00D000", "level2": "0DD"}, "mtd", 1, 0),
        ({"level1": "00000D", "level2": "000000", "level3": "DD"}, "mtd", 2, 0),
        ({"level1": "0000DD", "level2": "DD"}, "de_escalate", 0, 3),
        ({"level0": "00", "level1": "DD"}, "enrol", 0, 1),
        ({"level0": "000", "level1": "DD"}, "expand", 0, 3),
        ({"level0": "000000", "level1": "DD"}, "mtd", 0, 0),
        ({"level0": "00D00D", "level1": "DD"}, "stop_study", None, 0),
        ({"level0": "D0D", "level1": "DD"}, "stop_study", None, 0),
    ],
)
def test_escalate__each_state(levels: dict[str, str], decision: str, level: int | None, patients: int) -> None:
    """0/3 up, 1/3 to six, 1/6 up, two toxicities down; an open window holds."""
    found = escalate(rows(**levels), PROTOCOL)
    assert (decision, level, patients) == (found.decision, found.level, found.patients)


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        ({"level1": "0000000"}, "More than 6 evaluable patients at level 1: 0/7"),
        ({"level1": "00", "level2": "0"}, "Level 2 was treated although level 1: 0/2"),
        ({"level1": "00D", "level2": "0"}, "Level 2 was treated although level 1: 1/3"),
        ({"level2": "000"}, "Level 2 was treated although level 1: 0/0"),
        ({"level1": "DD0", "level2": "000"}, "above a level that is exceeded (level 1"),
        ({"level0": "000", "level1": "000"}, "below the start was treated although none is exceeded"),
    ],
)
def test_escalate__what_the_design_cannot_produce_goes_to_a_person(levels: dict[str, str], reason: str) -> None:
    """A file that contradicts the design is reviewed, not decided."""
    found = escalate(rows(**levels), PROTOCOL)
    assert ("review", True) == (found.decision, reason in found.reason)


def test_escalate__stopping_rule_names_the_expanded_cohort() -> None:
    """Two toxicities among the expanded cohort of level 0 stop the study; among its first three a person confirms."""
    expanded = escalate(rows(level0="00D00D", level1="DD"), PROTOCOL)
    first = escalate(rows(level0="D0D", level1="DD"), PROTOCOL)
    assert (True, True) == ("stopping rule" in expanded.reason, "a person confirms" in first.reason)


def test_escalate__lists_its_ambiguities_and_the_enrolment() -> None:
    """Ambiguities 1, 16 and 17, and that 18 evaluable patients exceed the 15 planned."""
    found = escalate([], PROTOCOL)
    assert ["1", "16", "17"] == [entry.number for entry in found.ambiguities]
    assert ["enrolment-below-design"] == [finding.code for finding in found.findings]
    assert "9 to 18 evaluable patients; 15 are planned" in found.findings[0].message
    assert "Research use only" in to_mapping(found)["lines"][-1]


@given(st.permutations(rows(level1="00D000", level2="0DD")))
def test_escalate__order_does_not_matter(shuffled: list[CohortRow]) -> None:
    """The rows may come in any order."""
    assert ("mtd", 1) == (escalate(shuffled, PROTOCOL).decision, escalate(shuffled, PROTOCOL).level)


@given(st.text("0D?x", max_size=6))
def test_escalate__another_toxicity_never_escalates(level1: str) -> None:
    """Turning a patient's 0 into a toxicity never moves the decision up."""
    if "0" in level1:
        with_one = escalate(rows(level1=level1.replace("0", "D", 1)), PROTOCOL)
        without = escalate(rows(level1=level1), PROTOCOL)
        assert with_one.decision != "escalate" or without.decision == "escalate"


def test_escalate__refuses_a_level_there_is_not() -> None:
    """Level 4 is not in the protocol."""
    with pytest.raises(ProtocolError, match="no such dose level"):
        escalate(rows(level4="0"), PROTOCOL)


def cohort(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cohort.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_read_cohort__reads_the_example() -> None:
    """One row a patient."""
    found = read_cohort(EXAMPLES / "cohort.csv")
    assert (5, True, "hold") == (len(found), found[3].dlt, escalate(found, PROTOCOL).decision)


def test_read_cohort__takes_semicolons_and_a_byte_order_mark(tmp_path: Path) -> None:
    """What a spreadsheet in Russian or German saves."""
    path = cohort(tmp_path, "\ufeffLevel;Patient;Evaluable;DLT;Window_open\n1;P;Yes;NO;no\n")
    assert (CohortRow(1, "P", True, False, False, 2),) == read_cohort(path)


HEADER = "level,patient,evaluable,dlt,window_open\n"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("level,patient,evaluable,dlt\n", "lacks the column window_open; expected level, patient"),
        (HEADER + "1,P,yes,no,\n", "line 2: window_open is empty.*record gives no window"),
        (HEADER + "1,P,yes,,no\n", "the window has passed, but evaluable or dlt is empty"),
        (HEADER + "1,P,,no,no\n", "the window has passed, but evaluable or dlt is empty"),
        (HEADER + "1,P,no,yes,no\n", "a toxicity in a patient who is not evaluable"),
        (HEADER + "1,P,maybe,no,no\n", "evaluable: is neither yes nor no.*got 'maybe'"),
        (HEADER + "one,P,yes,no,no\n", "has no level or no patient"),
        (HEADER + "1,,yes,no,no\n", "has no level or no patient"),
        (HEADER + "1,P,yes,no,no\n1,P,yes,no,no\n", "line 2: the patient occurs twice"),
    ],
)
def test_read_cohort__names_the_fault(tmp_path: Path, text: str, match: str) -> None:
    """Line and column, what was expected, what was found."""
    with pytest.raises(ProtocolError, match=match):
        read_cohort(cohort(tmp_path, text))


def test_read_cohort__names_a_missing_file(tmp_path: Path) -> None:
    """No traceback for a wrong path."""
    with pytest.raises(ProtocolError, match="cannot be read as UTF-8 text"):
        read_cohort(tmp_path / "none.csv")
