"""Scales: their laws, their agreement with FlowKit and FlowJo, and what they refuse."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import strategies
from flowkit import transforms as flowkit_transforms
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import TransformError
from cytorecon.transforms import (
    TRANSFORMS,
    Asinh,
    Biex,
    Bounded,
    FlowJoLog,
    Hyperlog,
    Linear,
    Log,
    Logicle,
    Transform,
    to_mapping,
    transform_from,
)

LINEAR_VALUES = np.concatenate(
    [np.linspace(-5000, 5000, 2001), np.geomspace(1e-3, 1e7, 2000), -np.geomspace(1e-3, 1e5, 2000), [0.0]]
)


@given(strategies.all_scales())
def test_apply__inverse_brings_back(scale: Transform) -> None:
    """Inverse of the display value is the linear value, where the scale neither ends nor piles up."""
    bottom, top = (float(end) for end in scale.inverse(np.array([0.02, 0.98])))
    values = np.linspace(bottom, top, 500)
    returned = scale.inverse(scale.apply(values))
    # A table of straight lines and a cubic iteration both lose a few bits where the scale is steepest.
    assert np.allclose(returned, values, rtol=1e-9, atol=1e-9 * (top - bottom))


@given(strategies.all_scales())
def test_apply__never_decreases(scale: Transform) -> None:
    """A larger value is never shown lower by more than the last bits."""
    shown = scale.apply(np.sort(LINEAR_VALUES[LINEAR_VALUES > 0] if isinstance(scale, Log) else LINEAR_VALUES))
    assert np.all(np.diff(shown) >= -1e-14 * np.maximum(1, np.abs(shown[1:])))


@given(strategies.all_scales().filter(lambda scale: not isinstance(scale, FlowJoLog | Biex)))
def test_apply__top_is_one(scale: Transform) -> None:
    """The top of the linear scale is shown at 1."""
    top = scale.t  # type: ignore[attr-defined]
    assert scale.apply(np.array([top]))[0] == pytest.approx(1.0, abs=1e-12)


@given(strategies.biexes())
def test_biex__runs_from_0_to_1(scale: Biex) -> None:
    """The highest value of FlowJo's table is near the top it was given, and values beyond pile up on its ends."""
    assert np.array_equal(scale.apply(np.array([-1e9, 0.0, 1e9]))[[0, 2]], [0.0, 1.0])
    assert scale.inverse(np.array([1.0]))[0] == pytest.approx(scale.max_value, rel=0.05)


@given(strategies.biexponentials(Logicle), st.floats(0, 1e5))
def test_logicle__is_odd_around_zero(scale: Logicle, value: float) -> None:
    """Negative values mirror the positive ones around the display value of zero."""
    low, zero, high = scale.apply(np.array([-value, 0.0, value]))
    assert low + high == pytest.approx(2 * zero, abs=1e-13)
    assert zero == pytest.approx((scale.a + scale.w) / (scale.m + scale.a), abs=1e-13)


@given(strategies.all_scales(), st.integers(0, 2**32 - 1))
def test_apply__bits_do_not_depend_on_the_batch(scale: Transform, seed: int) -> None:
    """A subset, an order, a stride and a single event give the bits of the whole."""
    rng = np.random.default_rng(seed)
    values = rng.choice(LINEAR_VALUES, 37)
    whole = scale.apply(values)
    order = rng.permutation(len(values))[: rng.integers(1, 37)]
    table = np.zeros((37, 3))
    table[:, 1] = values
    assert np.array_equal(whole[order], scale.apply(values[order]), equal_nan=True)
    assert np.array_equal(whole, scale.apply(table[:, 1]), equal_nan=True)
    assert np.array_equal(whole[::-1], scale.apply(values[::-1]), equal_nan=True)
    assert np.array_equal(whole[:1], scale.apply(values[:1]), equal_nan=True)


@given(strategies.all_scales())
def test_apply__keeps_what_is_not_finite(scale: Transform) -> None:
    """NaN and infinities never become a number; -inf has no logarithm."""
    shown = scale.apply(np.array([np.nan, np.inf, -np.inf, 1.0]))
    assert np.array_equal(np.isfinite(shown), [False, False, False, True])
    assert np.isnan(shown[0])


@given(strategies.all_scales())
def test_apply__keeps_shape_and_input(scale: Transform) -> None:
    """Any shape goes in and comes out, empty ones too, and the input stays as it was."""
    for shape in [(0,), (3,), (2, 3), (0, 2)]:
        values = np.ones(shape)
        assert scale.apply(values).shape == shape == scale.inverse(values).shape
        assert np.all(values == 1)


def test_log__has_no_value_for_zero_and_below() -> None:
    """Zero is at minus infinity and negative values are NaN, without a warning."""
    shown = Log(1000, 3).apply(np.array([-1.0, 0.0, 1.0, 1000.0]))
    assert np.array_equal(np.array([np.nan, -np.inf, 0.0, 1.0]), np.round(shown, 12), equal_nan=True)


def test_linear__without_parameters_is_the_identity() -> None:
    """Scatter and time keep every bit."""
    assert np.array_equal(LINEAR_VALUES, Linear().apply(LINEAR_VALUES))
    assert np.array_equal(LINEAR_VALUES, Linear().inverse(LINEAR_VALUES))


def test_asinh__known_value() -> None:
    """The value worked out by hand from the definition of fasinh."""
    expected = (np.arcsinh(50.0 * np.sinh(4 * np.log(10)) / 1000) + np.log(10)) / (5 * np.log(10))
    assert Asinh(1000, 4, 1).apply(np.array([50.0]))[0] == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Linear(1000, 100), flowkit_transforms.LinearTransform(1000, 100)),
        (Log(10000, 5), flowkit_transforms.LogTransform(10000, 5)),
        (Asinh(1000, 4.5, 0.7), flowkit_transforms.AsinhTransform(1000, 4.5, 0.7)),
        (Logicle(262144, 0.8, 4.5, 0.3), flowkit_transforms.LogicleTransform(262144, 0.8, 4.5, 0.3)),
        (Logicle(262144, 0, 4.5, 0), flowkit_transforms.LogicleTransform(262144, 0, 4.5, 0)),
        (Hyperlog(10000, 1, 4.5, 0), flowkit_transforms.HyperlogTransform(10000, 1, 4.5, 0)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_apply__same_bits_as_flowkit(ours: Transform, theirs: flowkit_transforms.LogTransform) -> None:
    """Display values equal FlowKit's to the last bit, and linear values to rounding."""
    values = np.abs(LINEAR_VALUES) + 1e-6 if isinstance(ours, Log) else LINEAR_VALUES
    shown = theirs.apply(values.reshape(-1, 1)).ravel()
    assert np.array_equal(shown, ours.apply(values))
    assert np.allclose(theirs.inverse(shown.reshape(-1, 1)).ravel(), ours.inverse(shown), rtol=1e-12, atol=1e-9)


@given(strategies.biexes())
def test_biex__equals_flowkit_on_0_to_4096(scale: Biex) -> None:
    """FlowKit's table is the same, 4096 times as high."""
    theirs = flowkit_transforms.WSPBiexTransform(scale.negative, scale.width, scale.positive, scale.max_value)
    assert np.allclose(theirs.apply(LINEAR_VALUES), 4096 * scale.apply(LINEAR_VALUES), rtol=0, atol=1e-9)


@given(st.floats(0.1, 100), st.floats(2, 6))
def test_flowjo_log__equals_flowkit(offset: float, decades: float) -> None:
    """Low values pile up at zero as in FlowJo."""
    scale, theirs = FlowJoLog(offset, decades), flowkit_transforms.WSPLogTransform(offset, decades)
    assert np.array_equal(theirs.apply(LINEAR_VALUES), scale.apply(LINEAR_VALUES))


def test_biex__flowjo_table(shared: Path) -> None:
    """FlowJo's own table of 4096 entries is reproduced within two half-units of its last printed digit."""
    (path,) = (shared / "data" / "flowjo_xforms").glob("*.csv")
    printed = [Decimal(line.split(",")[1]) for line in path.read_text().splitlines()[1:]]
    scale = Biex(negative=1.0, width=-7.943282, positive=4.418540, max_value=262144.000029)
    ours = scale.inverse(np.arange(len(printed)) / 4096)
    half_unit = np.array([float(Decimal(5).scaleb(int(number.as_tuple().exponent) - 1)) for number in printed])
    error = np.abs(ours - np.array([float(number) for number in printed])) / half_unit
    assert error.max() <= 2.0


@pytest.mark.parametrize("kind", [Logicle, Hyperlog])
def test_apply__mends_what_flowutils_gives_up_on(kind: type[Logicle] | type[Hyperlog]) -> None:
    """Far beyond the top, where the compiled iteration answers -1, values are still shown in order."""
    scale = kind(1e3, 0.5, 1.1, 0.0)
    values = np.geomspace(1e3, 1e300, 3000)
    shown = scale.apply(np.concatenate([-values[::-1], values]))
    assert np.all(np.diff(shown) > 0)
    assert np.allclose(scale.inverse(scale.apply(values)), values, rtol=1e-9, atol=0)


@given(strategies.scales(), strategies.bounds())
def test_bounded__holds_the_display_value(scale: Transform, bounds: tuple[float, float]) -> None:
    """Display values stay between the bounds and are the scale's own in between."""
    low, high = bounds
    free, held = scale.apply(LINEAR_VALUES), Bounded(scale, low, high).apply(LINEAR_VALUES)
    assert np.array_equal(np.clip(free, low, high), held)


def test_bounded__holds_zero_but_not_what_is_not_finite() -> None:
    """boundMin brings the logarithm of zero back; NaN, infinities and negative values stay outside."""
    shown = Bounded(Log(1000, 3), 0.0, 1.0).apply(np.array([0.0, 1e9, -1.0, np.nan, np.inf, -np.inf]))
    expected = np.array([0.0, 1.0, np.nan, np.nan, np.inf, -np.inf])
    assert np.array_equal(expected, shown, equal_nan=True)
    assert np.array_equal([1.0, 1000.0], np.round(Bounded(Log(1000, 3), 0.0).inverse(np.array([0.0, 1.0])), 9))


@given(strategies.all_scales(), st.none() | strategies.bounds())
def test_transform_from__reads_what_to_mapping_wrote(scale: Transform, bounds: tuple[float, float] | None) -> None:
    """A scale survives its way through a template."""
    written = scale if bounds is None or not np.isfinite(bounds).any() else Bounded(scale, *bounds)
    assert written == transform_from(to_mapping(written))


def test_transform_from__defaults() -> None:
    """Every type can be written without parameters, and numbers become floats."""
    assert [kind() for kind in TRANSFORMS.values()] == [transform_from({"type": name}) for name in TRANSFORMS]
    assert to_mapping(transform_from({"type": "log", "t": 10, "m": 2})) == {"type": "log", "t": 10.0, "m": 2.0}


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"type": "cubic"}, r"scale CD3: unknown type of scale; expected linear, log, .*, got 'cubic'"),
        ({}, r"unknown type of scale; .*got None"),
        ({"type": "logicle", "T": 1000}, r"logicle has no parameter 'T'; expected t, w, m, a"),
        ({"type": "log", "t": "1e5"}, r"scale CD3: t: not a number; got '1e5'"),
        ({"type": "log", "t": True}, r"t: not a number; got True"),
        ({"type": "log", "t": 10**400}, r"t: number is too large"),
        (
            {"type": "log", "t": -1},
            r"scale CD3: log: parameters .* expected finite numbers; t must be positive, got t =",
        ),
        ({"type": "linear", "bound_min": 2, "bound_max": 1}, r"bound_min is above bound_max or NaN; .*got 2.0, 1.0"),
    ],
)
def test_transform_from__refuses(mapping: dict[str, object], message: str) -> None:
    """A scale that cannot be read says where and what would have been right."""
    with pytest.raises(TransformError, match=message):
        transform_from(mapping, "scale CD3")


@pytest.mark.parametrize(
    ("kind", "parameters", "rule"),
    [
        (Linear, (1.0, -1.0), r"t \+ a must be positive"),
        (Linear, (np.inf, 0.0), "finite numbers"),
        (Linear, (np.nan, 0.0), "finite numbers"),
        (Log, (0.0, 4.5), "t must be positive"),
        (Log, (1000.0, 0.0), "m must be above 0"),
        (Log, (1000.0, 200.0), "at most 100"),
        (Asinh, (1000.0, 4.5, -0.1), "a must lie between 0 and m"),
        (Asinh, (1000.0, 4.5, 5.0), "a must lie between 0 and m"),
        (Logicle, (-1.0, 0.5, 4.5, 0.0), "t must be positive"),
        (Logicle, (1000.0, 2.5, 4.5, 0.0), "w must lie between 0 and m / 2"),
        (Logicle, (1000.0, -0.1, 4.5, 0.0), "w must lie between 0 and m / 2"),
        (Logicle, (1000.0, 0.5, 4.5, -0.6), "a must lie between -w and m - 2 w"),
        (Logicle, (1000.0, 0.5, 4.5, 3.6), "a must lie between -w and m - 2 w"),
        (Logicle, (1000.0, 0.5, np.nan, 0.0), "finite numbers"),
        (Hyperlog, (1000.0, 0.0, 4.5, 0.0), "w must be positive"),
        (Biex, (0.0, 10.0), "width must lie between -1000 and -1"),
        (Biex, (-1.0,), "negative must be 0 or more"),
        (Biex, (0.0, -1000.0, 1.0), "positive is too small"),
        (Biex, (0.0, -10.0, 4.5, 0.0), "max_value must be positive"),
        (Biex, (0.0, -10.0, 4.5, 262144.0, 1024), "length must be 256"),
        (FlowJoLog, (0.0, 4.5), "offset must be positive"),
        (FlowJoLog, (1.0, 0.0), "decades must be above 0"),
    ],
)
def test_scale__refuses_senseless_parameters(kind: type[Transform], parameters: tuple[float, ...], rule: str) -> None:
    """Parameters that describe no scale are refused when the scale is made."""
    with pytest.raises(TransformError, match=rule):
        kind(*parameters)


@pytest.mark.parametrize("bounds", [(1.0, 0.0), (np.nan, 1.0), (0.0, np.nan)])
def test_bounded__refuses_bounds_in_the_wrong_order(bounds: tuple[float, float]) -> None:
    """Bounds that hold nothing are refused, and so is a second pair of them."""
    with pytest.raises(TransformError, match="bound_min is above bound_max or NaN"):
        Bounded(Linear(), *bounds)
    with pytest.raises(TransformError, match="cannot be bounded again"):
        Bounded(Bounded(Linear(), 0.0), 0.1)
