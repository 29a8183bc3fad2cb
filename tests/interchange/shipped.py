"""Each shipped template and one simulated tube that it gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cytorecon.gates import Gate
from cytorecon.gating import GatedSample, gate_file
from cytorecon.interchange import load_template
from cytorecon.simulate import simulate_tube
from cytorecon.template import GatingTemplate

BLOOD = {"CD4 T": 900, "CD8 T": 600, "B": 300, "NK dim": 200, "NK bright": 30, "monocyte": 400, "neutrophil": 2000}
PANEL = {"tbnk": "tbnk_11", "t_extended": "tbnk_11", "b_extended": "tbnk_11", "nk_extended": "tbnk_11"}


@dataclass(frozen=True)
class Shipped:
    """A shipped template, a tube, and what gating the tube gave."""

    template: GatingTemplate
    fcs: Path
    gated: GatedSample

    @property
    def cutpoints(self) -> Mapping[str, float]:
        """Where the data placed each cut point."""
        return {one.name: one.display for one in self.gated.cutpoints}

    @property
    def gates(self) -> Mapping[str, Gate]:
        """The gates that the data drew."""
        return self.gated.gates

    def settled(self) -> GatingTemplate:
        """The template with every place and shape written down: it waits for nothing."""
        cutpoints = {
            name: replace(each, at=self.cutpoints.get(name, 0.5 if each.at is None else each.at), method=None, on=None,
                          within=None, parameters={})
            for name, each in self.template.cutpoints.items()
        }  # fmt: skip
        populations = tuple(
            replace(each, definition=self.gates.get(each.path, each.definition)) for each in self.template.populations
        )
        return replace(self.template, cutpoints=cutpoints, populations=populations)


def gate_shipped(name: str, folder: Path) -> Shipped:
    """Gate a simulated tube of the template's panel."""
    fcs = folder / "tube.fcs"
    simulate_tube(BLOOD, PANEL.get(name, name), seed=5, beads=300).write(fcs)
    template = load_template(name)
    return Shipped(template, fcs, gate_file(fcs, template, membership=True))
