"""Which keywords name a person, and that no identifier leaves the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import FcsError
from cytorecon.fcs import data_sets, is_public, public_keywords, read_fcs
from cytorecon.fcs.keywords import decimal_number, short, whole_number
from fcs.files import make

NAME = "Roe-Jane-19610203"
IDENTIFYING = [
    "$SRC", "$SMNO", "$FIL", "$EXP", "$OP", "$COM", "$CELLS", "$PROJ", "$INST", "PATIENT ID", "PATIENT NAME",
    "@SAMPLEID1", "SAMPLE ID", "TUBE NAME", "EXPERIMENT NAME", "USERID", "$PATIENT", "GROUPNAME", "$LAST_MODIFIER",
    "@BARCODE", "ROE, JANE", "$WELLID",
]  # fmt: skip


def test_public_keywords__leave_out_every_identifier(tmp_path: Path) -> None:
    """What may name a person is not there; what decodes the file, and the matrix, is."""
    path = tmp_path / "tube.fcs"
    path.write_bytes(make(dict.fromkeys(IDENTIFYING, NAME) | {"$CYT": "LSRII", "SPILL": "0"}))
    shown = public_keywords(read_fcs(path))
    assert NAME not in shown.values()
    assert {"$PAR", "$TOT", "$P1N", "$CYT", "SPILL"} <= shown.keys()


@pytest.mark.parametrize("keyword", IDENTIFYING)
def test_errors_and_findings__hold_no_identifier(keyword: str, tmp_path: Path) -> None:
    """A name in any identifying keyword, repeated, contradicted, cut or misplaced, is never quoted."""
    path = tmp_path / "tube.fcs"
    again = f"{keyword}/{NAME}/".encode()
    other = f"{keyword}/{NAME}-2/".encode()
    contents = [
        make({keyword: NAME}, text=lambda text: text + again, text_end=len(again)),
        make({keyword: NAME}, text=lambda text: text + other, text_end=len(other)),
        make({keyword: NAME}, text_end=-4),
        make({keyword: ""}, text=lambda text: text + NAME.encode() + b"/", text_end=len(NAME) + 1),
        make({keyword: NAME.encode() + b"\xe9"}),
        make({NAME: "x"}, text=lambda text: text + f"{NAME}/y/".encode(), text_end=len(NAME) + 3),
    ]
    for content in contents:
        path.write_bytes(content)
        try:
            said = [repr(finding) for finding in read_fcs(path).findings]
        except FcsError as error:
            said = [str(error)]
        said += [str(summary.error) + repr(summary.events) for summary in data_sets_or_none(path)]
        assert not [text for text in said if "jane" in text.lower()]


def data_sets_or_none(path: Path) -> tuple:
    try:
        return data_sets(path)
    except FcsError:
        return ()


@pytest.mark.parametrize("keyword", ["$PAR", "$P12N", "$BEGINDATA", "$SPILLOVER", "SPILL", "$DATE", "$CYTSN"])
def test_is_public__what_decoding_and_display_need(keyword: str) -> None:
    """Technical keywords are shown."""
    assert is_public(keyword)


@given(st.text(max_size=30))
def test_whole_number__digits_and_blanks_only(text: str) -> None:
    """Whatever the alphabet: a number if ASCII digits between blanks spell it, else none."""
    plain = text.strip(" ")
    expected = int(plain) if plain.isascii() and plain.isdigit() else None
    assert expected == whole_number(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimal_number__reads_what_python_writes(value: float) -> None:
    """The shortest text of a float is that float."""
    assert value == decimal_number(repr(value))


def test_short__keeps_messages_short() -> None:
    """A long value is cut; a line break is not a line break in a message."""
    assert "'a\\nb'" == short("a\nb")
    assert len(short("x" * 5000)) < 50
