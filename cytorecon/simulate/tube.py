"""One simulated tube: cells with known names through staining, optics and a cytometer's electronics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytorecon.simulate.cells import CELLS
from cytorecon.simulate.optics import draw, measure, scatter
from cytorecon.simulate.panels import PANELS, SCATTER, Stain, spillover_matrix
from cytorecon.simulate.truth import TRUTH

KINDS = ("single", "doublet", "dead", "debris", "bead", "bead doublet", "margin")
SINGLE, DOUBLET, DEAD, DEBRIS, BEAD, BEAD_DOUBLET, MARGIN = range(len(KINDS))

# Events of known name; what they are drawn from; the second particle of a doublet, −1 if none.
Roster = tuple[NDArray[np.int16], NDArray[np.int8], NDArray[np.int16]]


@dataclass(frozen=True, eq=False)
class SimulatedTube:
    """Events as a cytometer would have stored them, and what each of them is.

    Parameters
    ----------
    events
        float32 (event, channel): uncompensated linear values, time in hundredths of a second.
    channels
        Name ($PnN) and marker ($PnS, empty if none) of each channel.
    cell_types
        Names that `label` and `partner` count into.
    label
        int16 (event,): what the event is; for a doublet its first cell.
    partner
        int16 (event,): a doublet's second cell; −1 for any other event.
    kind
        int8 (event,): position in `KINDS`.
    spillover
        float64 (fluorochrome, detector): the matrix by which light was mixed.
    stated_spillover
        float64 (fluorochrome, detector): the matrix written into the file; differs by the spill error asked for.
    detectors
        Channel names of the matrix' columns.
    panel, seed
        What was asked for.
    """

    events: NDArray[np.float32]
    channels: tuple[tuple[str, str], ...]
    cell_types: tuple[str, ...]
    label: NDArray[np.int16]
    partner: NDArray[np.int16]
    kind: NDArray[np.int8]
    spillover: NDArray[np.float64]
    stated_spillover: NDArray[np.float64]
    detectors: tuple[str, ...]
    panel: str
    seed: int

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Living single cells by cell type, as asked for."""
        found = np.bincount(self.label[self.kind == SINGLE], minlength=len(self.cell_types))
        return {name: int(count) for name, count in zip(self.cell_types, found, strict=True) if count}

    @cached_property
    def bead_count(self) -> int:
        """Single beads and bead doublets, each as one event."""
        return int(np.isin(self.kind, (BEAD, BEAD_DOUBLET)).sum())

    def is_cell(self, cell_types: Sequence[str]) -> NDArray[np.bool_]:
        """Which events are living single cells of these types: bool (event,)."""
        wanted = np.array([name in cell_types for name in self.cell_types])
        found: NDArray[np.bool_] = (self.kind == SINGLE) & wanted[self.label]
        return found

    def truth(self, template: str) -> Mapping[str, NDArray[np.bool_]]:
        """True members of a shipped template's populations: name to bool (event,).

        Doublets, dead cells, debris and margin events belong to none of them.
        """
        return {
            name: self.kind == BEAD if members == ("bead",) else self.is_cell(members)
            for name, members in TRUTH[template].items()
        }

    def write(self, path: str | Path, **keywords: str) -> Path:
        """Write an FCS 3.1 file that says it is simulated; `keywords` are added to its text segment."""
        from cytorecon.simulate.writing import write_fcs

        return write_fcs(self, Path(path), keywords)


def simulate_tube(
    counts: Mapping[str, int],
    panel: str = "tbnk_6",
    *,
    seed: int = 0,
    beads: int = 0,
    doublets: float = 0.02,
    dead: float = 0.02,
    debris: float = 0.03,
    margin: float = 0.0005,
    bead_doublets: float = 0.0,
    staining: Mapping[str, float] | None = None,
    gain: float | Mapping[str, float] = 1.0,
    scatter_gain: float = 1.0,
    spill_error: float = 0.0,
) -> SimulatedTube:
    """Simulate one tube with exactly the living single cells asked for.

    Parameters
    ----------
    counts
        Living single cells by cell type (a name of `CELLS`).
    panel
        A name of `PANELS`.
    seed
        The same seed gives the same bits with the same numpy on the same kind of processor.
    beads
        Single counting beads.
    doublets, dead, debris, margin
        Further events, as shares of the cells: pairs of random cells (so homotypic and heterotypic as the mixture
        has it), dead cells, debris, events off the top of a scatter scale.
    bead_doublets
        Pairs of beads, as a share of `beads`.
    staining
        Brightness factor by antigen: titration (0.7), a masked epitope (0.02), a failed stain (0). ``viability`` is
        the dye.
    gain
        Factor on all fluorescence, or one by fluorochrome; the file's spillover follows.
    scatter_gain
        Factor on both scatter signals.
    spill_error
        Relative standard deviation of the stated against the true off-diagonal spillover.

    Returns
    -------
    SimulatedTube
        Events in order of time, with their names.

    Raises
    ------
    ValueError
        A cell type or panel is unknown, or a number is negative.
    """
    _check(counts, panel, beads, (doublets, dead, debris, margin, bead_doublets, spill_error))
    rng = np.random.default_rng(seed)
    cell_types = tuple(CELLS)
    shares = {DOUBLET: doublets, DEAD: dead, DEBRIS: debris, MARGIN: margin}
    label, kind, partner = _roster(rng, counts, beads, round(bead_doublets * beads), shares)
    stains = PANELS[panel]
    light = draw(rng, label, kind == DEAD, stains, staining or {})
    second = np.flatnonzero(partner >= 0)
    light[second] += draw(rng, partner[second], np.zeros(len(second), bool), stains, staining or {})
    matrix = spillover_matrix([stain.fluorochrome for stain in stains])
    gains = np.array([gain if isinstance(gain, float | int) else gain.get(s.fluorochrome, 1.0) for s in stains])
    detectors = tuple(f"{stain.fluorochrome}-A" for stain in stains)
    return SimulatedTube(
        events=np.column_stack(
            [
                scatter(rng, label, partner, kind == DEAD, kind == MARGIN, scatter_gain),
                measure(rng, light, matrix, gains),
                np.sort(rng.random(len(label), dtype=np.float32)) * np.float32(len(label) / 50),
            ]
        ),
        channels=_channels(stains, detectors),
        cell_types=cell_types,
        label=label,
        partner=partner,
        kind=kind,
        spillover=_scaled(matrix, gains),
        stated_spillover=_scaled(_misjudged(rng, matrix, spill_error), gains),
        detectors=detectors,
        panel=panel,
        seed=seed,
    )


def _check(counts: Mapping[str, int], panel: str, beads: int, shares: Sequence[float]) -> None:
    if panel not in PANELS:
        raise ValueError(f"unknown panel {panel!r}: choose one of {', '.join(PANELS)}")
    if unknown := sorted(set(counts) - set(CELLS)):
        raise ValueError(f"unknown cell type {unknown[0]!r}: choose among {', '.join(CELLS)}")
    if min([0, beads, *counts.values(), *shares]) < 0:
        raise ValueError("counts, beads and shares cannot be negative")


def _roster(
    rng: np.random.Generator, counts: Mapping[str, int], beads: int, bead_pairs: int, shares: Mapping[int, float]
) -> Roster:
    """Name every event, in random order."""
    index = {name: i for i, name in enumerate(CELLS)}
    asked = np.repeat([index[name] for name in counts], list(counts.values())).astype(np.int16)
    cells = len(asked)
    number = {kind: round(share * cells) for kind, share in shares.items()}
    # Artefacts come from the same mixture as the cells; without cells there is nothing to draw them from.
    mixture = rng.choice(asked, number[DOUBLET] * 2 + number[DEAD] + number[MARGIN]) if cells else asked
    pairs, odd = mixture[: 2 * number[DOUBLET]], mixture[2 * number[DOUBLET] :]
    bead, debris = np.int16(index["bead"]), np.int16(index["debris"])
    label = np.concatenate([asked, pairs[::2], odd, np.full(number[DEBRIS], debris), np.full(beads + bead_pairs, bead)])
    number |= {SINGLE: cells, BEAD: beads, BEAD_DOUBLET: bead_pairs}
    kinds = (SINGLE, DOUBLET, DEAD, MARGIN, DEBRIS, BEAD, BEAD_DOUBLET)
    kind = np.repeat(np.array(kinds, np.int8), [number[k] for k in kinds])
    partner = np.full(len(label), -1, np.int16)
    partner[kind == DOUBLET] = pairs[1::2]
    partner[kind == BEAD_DOUBLET] = bead
    order = rng.permutation(len(label))
    return label[order], kind[order], partner[order]


def _channels(stains: Sequence[Stain], detectors: Sequence[str]) -> tuple[tuple[str, str], ...]:
    colours = [(detector, stain.marker) for detector, stain in zip(detectors, stains, strict=True)]
    return (*((name, "") for name in SCATTER), *colours, ("Time", ""))


def _scaled(matrix: NDArray[np.float64], gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spillover as coefficients after amplification: relative to the fluorochrome's own, amplified, signal."""
    scaled: NDArray[np.float64] = matrix * gains[None, :] / gains[:, None]
    return scaled


def _misjudged(rng: np.random.Generator, matrix: NDArray[np.float64], error: float) -> NDArray[np.float64]:
    wrong = matrix * np.maximum(1 + error * rng.standard_normal(matrix.shape), 0)
    np.fill_diagonal(wrong, 1.0)
    return wrong
