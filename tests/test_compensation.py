"""Spillover matrices: what is read and refused, how exact the inverse is, and agreement with FlowKit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flowutils
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytorecon.compensation import (
    Spillover,
    compensate,
    compensate_columns,
    inverse,
    resolved_for,
    spillover_from_inverse,
    spillover_from_text,
)
from cytorecon.errors import SpilloverError

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Channel:
    name: str
    marker: str = ""


@dataclass(frozen=True)
class Tube:
    """Events of a file, as far as compensation looks at them."""

    channels: Sequence[Channel]
    values: Values
    matrix: Spillover | None = None

    def array(self) -> Values:
        return self.values

    def spillover(self) -> Spillover | None:
        return self.matrix


@st.composite
def matrices(draw: st.DrawFn, rows: int | None = None, columns: int | None = None) -> Values:
    """Spillover matrices that a cytometer could have: each row falls off from its diagonal."""
    count = draw(st.integers(1, 9)) if rows is None else rows
    seed = draw(st.integers(0, 2**32 - 1))
    wide = count if columns is None else columns
    spill = np.random.default_rng(seed).uniform(-0.02, 0.6 / count, (count, wide))
    spill[np.arange(count), np.arange(count)] = 1.0
    return spill


def names(count: int) -> tuple[str, ...]:
    return tuple(f"FL{number}-A" for number in range(1, count + 1))


def exact_inverse(matrix: Values) -> list[list[Fraction]]:
    """Inverse in rational numbers, by Gauss–Jordan elimination."""
    size = len(matrix)
    work = [[Fraction(float(x)) for x in row] + [Fraction(i == j) for j in range(size)] for i, row in enumerate(matrix)]
    for column in range(size):
        pivot = next(row for row in range(column, size) if work[row][column] != 0)
        work[column], work[pivot] = work[pivot], work[column]
        work[column] = [x / work[column][column] for x in work[column]]
        for row in range(size):
            if row != column:
                factor = work[row][column]
                work[row] = [x - factor * y for x, y in zip(work[row], work[column], strict=True)]
    return [row[size:] for row in work]


def close_to_exact(ours: Values, exact: list[list[Fraction]]) -> float:
    """Largest error, in units of the last place of the largest exact entry."""
    largest = max(abs(entry) for row in exact for entry in row)
    errors = [
        abs(Fraction(float(x)) - y)
        for row, right in zip(ours, exact, strict=True)
        for x, y in zip(row, right, strict=True)
    ]
    return float(max(errors) / largest) / float(np.finfo(float).eps)


# --- the inverse ----------------------------------------------------------------------------------------------


@given(matrices())
def test_inverse__is_the_exact_one_rounded(matrix: Values) -> None:
    """No entry is farther from the exact inverse than two units of the last place of the largest."""
    assert close_to_exact(inverse(matrix), exact_inverse(matrix)) <= 2


def test_inverse__stays_exact_at_the_highest_condition_number_admitted() -> None:
    """Even where a plain inverse has lost six digits."""
    matrix = np.array([[1.0, 0.999998, 0.2], [0.999998, 1.0, 0.2], [0.3, 0.01, 1.0]])
    assert 5e5 < np.linalg.cond(matrix) < 2e6
    assert close_to_exact(inverse(matrix), exact_inverse(matrix)) <= 2


@given(matrices())
def test_inverse__agrees_with_numpy(matrix: Values) -> None:
    """LAPACK finds the same inverse, to rounding."""
    assert np.allclose(np.linalg.inv(matrix), inverse(matrix), rtol=1e-12, atol=1e-12)


def test_inverse__needs_pivoting() -> None:
    """A zero on the diagonal is no obstacle, and a singular matrix is an error."""
    assert np.array_equal([[0.0, 1.0], [1.0, 0.0]], inverse([[0, 1], [1, 0]]))
    with pytest.raises(SpilloverError, match="singular"):
        inverse([[1, 2], [2, 4]])


@given(st.integers(1, 5), st.integers(1, 4), st.data())
def test_unmixing__of_a_spectrum_matrix_is_least_squares(rows: int, more: int, data: st.DataObject) -> None:
    """With more detectors than fluorochromes the result is the least-squares solution of Gating-ML."""
    matrix = data.draw(matrices(rows, rows + more))
    spillover = Spillover(names(rows + more), matrix, tuple("ABCDE"[:rows]))
    seen = np.random.default_rng(0).uniform(-100, 1e5, (20, rows + more))
    expected = np.linalg.lstsq(matrix.T, seen.T, rcond=None)[0].T
    assert np.allclose(np.linalg.pinv(matrix), spillover.unmixing, rtol=1e-10, atol=1e-12)
    unmixed = compensate_columns(seen, spillover.detectors, spillover, spillover.fluorochromes)
    assert np.allclose(expected, unmixed, rtol=1e-10, atol=1e-7)


# --- compensation ---------------------------------------------------------------------------------------------


@given(matrices(), st.integers(0, 2**32 - 1))
def test_compensate__agrees_with_flowutils(matrix: Values, seed: int) -> None:
    """FlowKit's compensation differs by rounding only, and channels outside the matrix not at all."""
    count = len(matrix)
    channels = ("FSC-A", *names(count), "Time")
    values = np.random.default_rng(seed).uniform(-1000, 262144, (50, count + 2))
    expected = flowutils.compensate.compensate(values, matrix, list(range(1, count + 1)))
    ours = compensate(Tube([Channel(name) for name in channels], values), Spillover(names(count), matrix))
    assert np.allclose(expected, ours, rtol=1e-12, atol=1e-12 * 262144)
    assert np.array_equal(values[:, [0, -1]], ours[:, [0, -1]])


@given(matrices(), st.integers(0, 2**32 - 1))
def test_compensate__undoes_spillover(matrix: Values, seed: int) -> None:
    """What shone comes back from what was detected."""
    shone = np.random.default_rng(seed).uniform(0, 1000, (10, len(matrix)))
    tube = Tube([Channel(name) for name in names(len(matrix))], shone @ matrix, Spillover(names(len(matrix)), matrix))
    assert np.allclose(shone, compensate(tube), rtol=1e-9, atol=1e-9)


@given(matrices(), st.integers(0, 2**32 - 1))
def test_compensate__is_written_out(matrix: Values, seed: int) -> None:
    """Each value is its products added from left to right, each step rounded once."""
    count = len(matrix)
    spillover = Spillover(names(count), matrix)
    values = np.random.default_rng(seed).uniform(-1000, 262144, (3, count))
    expected = []
    for event in values.tolist():
        for number in range(count):
            total = event[0] * float(spillover.unmixing[0, number])
            for detector in range(1, count):
                total = total + event[detector] * float(spillover.unmixing[detector, number])
            expected.append(total)
    ours = compensate_columns(values, names(count), spillover, names(count))
    assert expected == ours.ravel().tolist()


@given(matrices(6), st.integers(0, 2**32 - 1), st.integers(1, 400))
def test_compensate_columns__bits_do_not_depend_on_the_batch(matrix: Values, seed: int, count: int) -> None:
    """A subset, an order, other memory layouts and other wanted channels give the same bits."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1000, 262144, (count, 8))
    channels = ("FSC-A", *names(6), "Time")
    spillover = Spillover(names(6), matrix)
    wanted = ("FL3-A", "Time", "FL1-A")
    whole = compensate_columns(values, channels, spillover, wanted)
    order = rng.permutation(count)[: rng.integers(1, count + 1)]
    tube = Tube([Channel(name) for name in channels], values, spillover)
    assert np.array_equal(whole[order], compensate_columns(values[order], channels, spillover, wanted))
    assert np.array_equal(whole, compensate_columns(np.asfortranarray(values), channels, spillover, wanted))
    assert np.array_equal(whole[:, :1], compensate_columns(values, channels, spillover, wanted[:1]))
    assert np.array_equal(whole, compensate(tube)[:, [3, 7, 1]])


def test_compensate__leaves_the_events_as_they_were() -> None:
    """The array of the events is not written to."""
    values = np.ones((2, 2))
    compensate(Tube([Channel("a"), Channel("b")], values), Spillover(("a", "b"), np.array([[1, 0.5], [0, 1]])))
    assert np.all(values == 1)


def test_compensate__of_no_events() -> None:
    """A file without events compensates to none."""
    tube = Tube([Channel("a"), Channel("b")], np.empty((0, 2)), Spillover(("a", "b"), np.eye(2)))
    assert compensate(tube).shape == (0, 2)


def test_compensate__what_is_not_finite_spoils_its_event_only() -> None:
    """One NaN detector makes every fluorochrome of the event NaN; other events and channels keep their values."""
    spillover = Spillover(("a", "b"), np.array([[1, 0.5], [0, 1]]))
    values = np.array([[np.nan, 1.0, 7.0], [np.inf, 1.0, 8.0], [2.0, 3.0, 9.0]])
    result = compensate(Tube([Channel("a"), Channel("b"), Channel("Time")], values, spillover))
    assert not np.isfinite(result[:2, 0]).any()
    assert not np.isfinite(result[:2, 1]).any()
    assert np.array_equal([[2.0, 2.0]], result[2:, :2])
    assert np.array_equal([7.0, 8.0, 9.0], result[:, 2])


def test_compensate__by_marker_names() -> None:
    """A matrix of a template may name its channels by $PnS; the result is in the channels' columns."""
    tube = Tube([Channel("Time"), Channel("FL2", "CD4"), Channel("FL1", "CD3")], np.array([[5.0, 2.0, 3.0]]))
    spillover = Spillover(("CD3", "CD4"), np.array([[1, 0.5], [0, 1]]), source="template")
    assert np.array_equal([[5.0, 0.5, 3.0]], compensate(tube, spillover))
    assert resolved_for(spillover, ["FL1", "FL2"], ["CD3", "CD4"]).detectors == ("FL1", "FL2")


def test_compensate__puts_a_fluorochrome_in_the_column_of_its_name() -> None:
    """Gating-ML names rows and columns apart; the value follows its name, or its detector's place."""
    tube = Tube([Channel("a"), Channel("b")], np.array([[2.0, 3.0]]))
    permuted = Spillover(("a", "b"), np.array([[0.5, 1.0], [1.0, 0.0]]), ("b", "a"))
    other_names = Spillover(("a", "b"), np.eye(2), ("FITC", "PE"))
    assert permuted == Spillover(("a", "b"), np.array([[1.0, 0.0], [0.5, 1.0]]))
    assert np.array_equal([[0.5, 3.0]], compensate(tube, permuted))
    assert np.array_equal([[2.0, 3.0]], compensate(tube, other_names))
    columns = compensate_columns(tube.values, ("a", "b"), other_names, ("PE", "a"))
    assert np.array_equal([[3.0, 2.0]], columns)


def test_compensate__of_a_spectrum_matrix_keeps_the_other_detectors() -> None:
    """Fluorochromes that bear detectors' names replace them; without a column of their own they are an error."""
    matrix = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    tube = Tube([Channel("a"), Channel("b"), Channel("c")], np.array([[2.0, 3.0, 4.0]]))
    assert np.allclose([[3.0, 3.0, 4.0]], compensate(tube, Spillover(("a", "b", "c"), matrix, ("a", "b"))))
    with pytest.raises(SpilloverError, match="no channel for FITC, PE; expected one of a, b, c"):
        compensate(tube, Spillover(("a", "b", "c"), matrix, ("FITC", "PE")))


def test_compensate__without_a_matrix() -> None:
    """Uncompensated values are never passed off as compensated."""
    with pytest.raises(
        SpilloverError, match=r"the file has no matrix; expected \$SPILLOVER.*say that .* uncompensated"
    ):
        compensate(Tube([Channel("a")], np.ones((1, 1))))


def test_compensate_columns__unknown_names() -> None:
    """A detector or a wanted channel that is not there is named."""
    spillover = Spillover(("a", "b"), np.eye(2), source="sheet")
    with pytest.raises(SpilloverError, match="sheet: no channel for b; expected one of a, c"):
        compensate_columns(np.ones((1, 2)), ("a", "c"), spillover, ("a",))
    with pytest.raises(SpilloverError, match="no channel for Time"):
        compensate_columns(np.ones((1, 2)), ("a", "b"), spillover, ("Time",))


# --- reading --------------------------------------------------------------------------------------------------


def test_spillover_from_text__names() -> None:
    """Names are $PnN, else $PnS, else numbers, and always become $PnN."""
    channels, markers = ["FSC-A", "FITC-A", "PE-A"], ["", "CD3", "CD4"]
    for text in [
        "2,PE-A,FITC-A,1,.1,0.2,1e0",
        " 2, PE-A ,FITC-A,1,.1,\n0.2,1",
        "2,CD4,CD3,1,.1,.2,1",
        "2,3,2,1,.1,.2,1",
    ]:
        spillover = spillover_from_text(text, channels, markers)
        assert spillover == Spillover(("PE-A", "FITC-A"), np.array([[1, 0.1], [0.2, 1]]))
    assert spillover.source == "$SPILLOVER"
    assert spillover.findings == ()


def test_spillover_from_text__comp_without_names() -> None:
    """FCS 3.0's $COMP may name no channels: they are the parameters in order, which a person has to look at."""
    spillover = spillover_from_text("2,1,0.5,0,1", ["a", "b", "c"], ["x", "y", "z"], "$COMP")
    assert spillover == Spillover(("a", "b"), np.array([[1, 0.5], [0, 1]]))
    assert [(finding.code, finding.severity) for finding in spillover.findings] == [("spillover-unnamed", "review")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"\$SPILLOVER: wrong number of fields; expected a count, got 1 fields, the first ''"),
        ("/etc/passwd", "wrong number of fields"),
        ("spill.csv", "wrong number of fields; expected a count, got 1 fields, the first 'spill.csv'"),
        ("-1,a,1", "wrong number of fields"),
        ("0", "wrong number of fields"),
        ("2,a,b,1,0,0", "expected n = 2, 2 names and 4 numbers: 7 fields, got 6 fields.*'none'"),
        ("2,a,b,1,0,0,1,1", "got 8 fields"),
        ("999999,a,1", "wrong number of fields"),
        ("2,a,q,1,0,0,1", r"names do not resolve to channels: q; expected \$PnN, \$PnS or numbers of a, b"),
        ("2,a,A,1,0,0,1", "names do not resolve to channels: A"),
        ("2,a,CD4,1,0,0,1", "names do not resolve to channels: a, CD4"),
        ("2,a,a,1,0,0,1", "names repeat: a; expected each channel named once"),
        ("2,1,9,1,0,0,1", "names do not resolve"),
        ("2,a,b,1,nan,0,1", "not a number; expected a decimal number, got 'nan'"),
        ("2,a,b,1,inf,0,1", "got 'inf'"),
        ("2,a,b,1,1_0,0,1", "got '1_0'"),
        ("2,a,b,1,٣,0,1", "not a number"),
        ("2,a,b,1,0x1,0,1", "got '0x1'"),
        ("2,a,b,1,,0,1", "got ''"),
        ("2,a,b,1,1e999,0,1", "NaN or infinity"),
        ("2,a,b,1,1,1,1", "singular or nearly so; expected condition number at most 1e.06, got .*single-stained"),
        ("2,a,b,0,0,0,0", "row 'a' is not its largest"),
        ("2,a,b,1,1,1,1.000001", "singular or nearly so"),
    ],
)
def test_spillover_from_text__refuses(text: str, message: str) -> None:
    """Whatever is no usable matrix is an error that names the keyword."""
    with pytest.raises(SpilloverError, match=message):
        spillover_from_text(text, ["a", "b"], ["CD3", "CD4"])


def test_spillover_from_text__ambiguous_marker() -> None:
    """A $PnS that two channels share resolves to neither."""
    with pytest.raises(SpilloverError, match="names do not resolve to channels"):
        spillover_from_text("2,CD3,CD4,1,0,0,1", ["a", "b", "c"], ["CD3", "CD3", "CD4"])


def test_spillover_from_text__never_opens_a_file(tmp_path: Any) -> None:
    """A value that is the path of a matrix file is not followed."""
    path = tmp_path / "matrix.csv"
    path.write_text("a,b\n1,0\n0,1\n")
    with pytest.raises(SpilloverError, match="wrong number of fields"):
        spillover_from_text(str(path), ["a", "b"])


def test_spillover__percent() -> None:
    """A diagonal of 100 means percent: divided, with a finding."""
    spillover = Spillover(("a", "b"), np.array([[100.0, 10.0], [0.0, 100.0]]), source="$SPILL")
    assert spillover == Spillover(("a", "b"), np.array([[1.0, 0.1], [0.0, 1.0]]))
    assert [(finding.code, finding.where) for finding in spillover.findings] == [("spillover-percent", "$SPILL")]


def test_spillover__findings() -> None:
    """A large condition number, a spillover above 1 and an unusual diagonal are said."""
    nearly = Spillover(("a", "b"), np.array([[1.0, 0.9999], [0.9999, 1.0]]))
    assert [finding.code for finding in nearly.findings] == ["spillover-condition"]
    above = Spillover(("a", "b"), np.array([[1.0, 1.16], [0.0, 1.0]]))
    assert [finding.code for finding in above.findings] == ["spillover-above-own"]
    unusual = Spillover(("a", "b"), np.array([[2.0, 0.0], [0.0, 1.0]]))
    assert [finding.code for finding in unusual.findings] == ["spillover-diagonal"]


def test_spillover__is_a_value() -> None:
    """Equal matrices are equal whatever their source, can be hashed, and cannot be written to."""
    one, other = (Spillover(("a",), np.array([[1.0]]), source=source) for source in ("template", "sheet"))
    assert one == other
    assert len({one, other}) == 1
    assert one != Spillover(("b",), np.array([[1.0]]))
    for array in (one.matrix, one.unmixing):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 2


@pytest.mark.parametrize(
    ("detectors", "matrix", "fluorochromes", "message"),
    [
        (("a", "a"), np.eye(2), (), "names repeat: a"),
        (("a", "b"), np.eye(2), ("x", "x"), "names repeat: x"),
        (("a", ""), np.eye(2), (), "a name is empty"),
        ((), np.empty((0, 0)), (), "a name is empty"),
        (("a", "b"), np.eye(3), (), r"does not fit its names; expected 2 rows of 2 numbers.* got shape \(3, 3\)"),
        (("a",), np.ones((2, 1)), ("x", "y"), "not more fluorochromes than detectors"),
        (("a", "b"), [[1, 2], ["x", 1]], (), "not a table of numbers"),
        (("a", "b"), [[1, 2], [1]], (), "not a table of numbers"),
        (("a", "b"), [[1, np.nan], [0, 1]], (), "NaN or infinity"),
        (("a", "b", "c"), np.ones((2, 3)), ("x", "y"), "singular or nearly so"),
        (("a", "b"), [[0.05, 1], [1, 0.3]], (), "row 'a' is not its largest.* got 0.05 beside 1"),
        (("a", "b"), [[1, 0.3], [0.05, 1]], ("b", "a"), "row 'a' is not its largest"),
        (("a", "b"), [[1, 0.3], [1, 0.05]], ("x", "y"), "row 'y' is not its largest"),
        (("a", "b"), [[1, 30], [0.05, 1]], (), "row 'a' is not its largest.* got 1 beside 30"),
        (("a", "b"), [[0, 0], [0.05, 1]], (), "row 'a' is not its largest"),
        (("a", "b"), [[100, 30], [0.05, 1]], (), "the diagonal mixes units.* got 1 to 100"),
    ],
)
def test_spillover__refuses(
    detectors: tuple[str, ...], matrix: Any, fluorochromes: tuple[str, ...], message: str
) -> None:
    """A matrix that cannot be used never becomes an object."""
    with pytest.raises(SpilloverError, match=message):
        Spillover(detectors, matrix, fluorochromes)


@given(matrices())
def test_spillover_from_inverse__turns_back(matrix: Values) -> None:
    """A matrix given inverted compensates as it stands."""
    inverted = np.linalg.inv(matrix)
    spillover = spillover_from_inverse(names(len(matrix)), inverted)
    assert np.allclose(matrix, spillover.matrix, rtol=1e-12, atol=1e-12)
    assert np.allclose(inverted, spillover.unmixing, rtol=1e-14, atol=1e-14)
