"""Simulated tubes as FCS 3.1 files."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cytorecon.simulate.tube import SimulatedTube

NOTICE = "Simulated by cytorecon: invented cells, no patient"


def write_fcs(tube: SimulatedTube, path: Path, keywords: Mapping[str, str]) -> Path:
    """Write a tube, uncompensated, with its spillover matrix and the notice that it is simulated.

    Parameters
    ----------
    tube
        The tube.
    path
        The file to write; replaced if it exists.
    keywords
        Further keywords; a standard one without its ``$``.

    Returns
    -------
    Path
        The file.
    """
    import flowio

    values = array("f")
    values.frombytes(tube.events.tobytes())
    names = [name for name, _ in tube.channels]
    markers = [marker for _, marker in tube.channels]
    with path.open("wb") as file:
        flowio.create_fcs(file, values, names, markers, _keywords(tube, path) | dict(keywords))
    return path


def _keywords(tube: SimulatedTube, path: Path) -> dict[str, str]:
    matrix = ",".join(f"{value:.9g}" for value in tube.stated_spillover.ravel())
    last = len(tube.channels)
    return {
        "com": NOTICE,
        "cytorecon_simulated": "true",
        "cytorecon_panel": tube.panel,
        "cytorecon_seed": str(tube.seed),
        "cyt": "cytorecon simulator",
        "fil": path.name,
        "timestep": "0.01",
        f"p{last}r": str(max(2, int(tube.events[:, -1].max(initial=1)) + 1)),
        "spillover": f"{len(tube.detectors)},{','.join(tube.detectors)},{matrix}",
    }
