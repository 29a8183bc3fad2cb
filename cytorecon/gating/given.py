"""What is settled of one sample before its events are asked: by a person, by a pool, by control files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cytorecon.errors import Finding


@dataclass(frozen=True)
class Found:
    """Where a cut point lies for one file, and who says so.

    Parameters
    ----------
    position
        On the display scale.
    spread
        Its standard deviation; None if it is fixed.
    method
        The method that placed it; ``fixed``, ``anchored``, ``override``, or ``pool: METHOD``.
    """

    position: float
    spread: float | None
    method: str


@dataclass(frozen=True)
class Given:
    """Places that do not come from the sample's own events.

    Parameters
    ----------
    cutpoints
        Cut points that have a place: nothing moves them.
    vertices
        Path of a population -> polygon that takes the place of its gate, display scale.
    pooled
        Cut points as a pool has them: where the method is ``anchored`` the sample's own modes move them, else they
        stand.
    controls
        Marker -> file of the control without it.
    excluded
        Stretches of time, first and last, whose events are in no population.
    findings
        Who says so, when and why.
    """

    cutpoints: Mapping[str, Found] = field(default_factory=dict)
    vertices: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    pooled: Mapping[str, Found] = field(default_factory=dict)
    controls: Mapping[str, Path] = field(default_factory=dict)
    excluded: tuple[tuple[float, float], ...] = ()
    findings: tuple[Finding, ...] = ()

    def joined(self, other: Given) -> Given:
        """Both together; where they disagree `other` stands."""
        return Given(
            cutpoints={**self.cutpoints, **other.cutpoints},
            vertices={**self.vertices, **other.vertices},
            pooled={**self.pooled, **other.pooled},
            controls={**self.controls, **other.controls},
            excluded=other.excluded or self.excluded,
            findings=(*self.findings, *other.findings),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, the bytes of control files included; empty if nothing is given."""
        if not (self.cutpoints or self.vertices or self.pooled or self.controls or self.excluded):
            return ""
        plain = {
            "cutpoints": {name: asdict(one) for name, one in self.cutpoints.items()},
            "vertices": dict(self.vertices),
            "pooled": {name: asdict(one) for name, one in self.pooled.items()},
            "controls": {marker: _file_digest(path) for marker, path in self.controls.items()},
            **({"excluded": self.excluded} if self.excluded else {}),
            "findings": [asdict(one) for one in self.findings],
        }
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"
