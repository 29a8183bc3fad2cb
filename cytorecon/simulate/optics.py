"""From cells to numbers: antigen and dye light, its mixing and counting, scatter and its pulse shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cytorecon.simulate.cells import CELLS
from cytorecon.simulate.panels import VIABILITY, Stain

# Last value an 18-bit converter gives.
TOP = np.float32(262_143)
# Linear units of one photoelectron, and the electronic noise: they make the spread that compensation widens.
_UNITS_PER_PHOTON = np.float32(4.0)
_ELECTRONIC_NOISE = np.float32(45.0)
# Dye in a cell whose membrane leaks, and what leaks in where it does not.
_DYE_DEAD, _DYE_ALIVE = 18_000.0, 60.0

Floats = NDArray[np.float32]


def draw(
    rng: np.random.Generator,
    label: NDArray[np.int16],
    dead: NDArray[np.bool_],
    stains: Sequence[Stain],
    staining: Mapping[str, float],
) -> Floats:
    """Light that each particle's own colours send out: float32 (event, fluorochrome), linear units.

    Log-normal from cell to cell; a dead cell has lost some antigen, glows and takes up the viability dye.
    """
    level = np.array([[_level(cell.antigens, s, staining) for s in stains] for cell in CELLS.values()], np.float32)
    glow = np.array([cell.glow for cell in CELLS.values()], np.float32)[label]
    spread = np.array([cell.spread for cell in CELLS.values()], np.float32)[label]
    light = level[label]
    light[dead] *= np.float32(0.6)
    glow[dead] *= np.float32(4.0)
    dyes = [column for column, stain in enumerate(stains) if VIABILITY in stain.antigens]
    for column in dyes:
        factor = staining.get(VIABILITY, 1.0)
        light[:, column] = np.where(dead, np.float32(_DYE_DEAD * factor), np.float32(_DYE_ALIVE * factor))
    light *= np.exp(spread[:, None] * rng.standard_normal(light.shape, dtype=np.float32))
    light += (glow * np.exp(spread * rng.standard_normal(len(label), dtype=np.float32)))[:, None]
    return light


def _level(antigens: Mapping[str, float], stain: Stain, staining: Mapping[str, float]) -> float:
    return sum(antigens.get(antigen, 0.0) * staining.get(antigen, 1.0) for antigen in stain.antigens)


def measure(rng: np.random.Generator, light: Floats, matrix: NDArray[np.float64], gains: NDArray[np.float64]) -> Floats:
    """What the detectors store of that light: mixed, counted in photons (normal approximation), amplified, cut off.

    Sums are taken colour by colour, never by BLAS, so that the bits do not depend on its kernels.
    """
    stored = np.empty_like(light)
    for detector in range(light.shape[1]):
        seen = np.zeros(len(light), np.float32)
        for colour in np.flatnonzero(matrix[:, detector]):
            seen += light[:, colour] * np.float32(matrix[colour, detector])
        noise = np.sqrt(seen * _UNITS_PER_PHOTON + _ELECTRONIC_NOISE**2)
        seen += noise * rng.standard_normal(len(light), dtype=np.float32)
        stored[:, detector] = np.minimum(seen * np.float32(gains[detector]), TOP)
    return stored


def scatter(
    rng: np.random.Generator,
    label: NDArray[np.int16],
    partner: NDArray[np.int16],
    dead: NDArray[np.bool_],
    margin: NDArray[np.bool_],
    gain: float = 1.0,
) -> Floats:
    """FSC-A, -H, -W, SSC-A, -H: float32 (event, 5), linear units.

    Two cells one behind the other add their areas, while the pulse is hardly higher than that of the larger: which is
    why height over area tells doublets.
    """
    forward, side = _areas(rng, label)
    forward[dead] *= np.float32(0.55)
    side[dead] *= np.float32(1.3)
    high_forward, high_side = forward.copy(), side.copy()
    second = np.flatnonzero(partner >= 0)
    forward_2, side_2 = _areas(rng, partner[second])
    high_forward[second] = np.maximum(forward[second], forward_2) * np.float32(1.04)
    high_side[second] = np.maximum(side[second], side_2) * np.float32(1.04)
    forward[second] += forward_2
    side[second] += side_2
    for pulse in (forward, side, high_forward, high_side):
        pulse *= np.float32(gain)
    off_scale = np.flatnonzero(margin)
    forward[off_scale[::2]] = TOP
    side[off_scale[1::2]] = TOP
    wobble = 1 + np.float32(0.025) * rng.standard_normal((2, len(label)), dtype=np.float32)
    high_forward *= wobble[0] * np.float32(0.85)
    high_side *= wobble[1] * np.float32(0.85)
    width = forward / np.maximum(high_forward, 1) * np.float32(56_000)
    stored: Floats = np.minimum(np.column_stack([forward, high_forward, width, side, high_side]), TOP)
    return stored


def _areas(rng: np.random.Generator, label: NDArray[np.int16]) -> tuple[Floats, Floats]:
    size, granularity, spread = np.array(
        [(cell.size, cell.granularity, cell.scatter_spread) for cell in CELLS.values()], np.float32
    ).T
    spread = spread[label]
    # Large cells tend to be granular too: half of the variation is common.
    common, own = rng.standard_normal((2, len(label)), dtype=np.float32)
    forward = size[label] * np.exp(spread * common)
    side = granularity[label] * np.exp(np.float32(1.5) * spread * (common + own) * np.float32(np.sqrt(0.5)))
    return forward, side
