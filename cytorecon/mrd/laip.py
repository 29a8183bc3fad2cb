"""A file gated by its patient's phenotypes, and the detection limits that the patient's controls give.

The file of the phenotypes itself is read by `cytorecon.template.laip`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from cytorecon.gating import GatedSample, gate_file, under
from cytorecon.mrd.limits import DetectionLimits
from cytorecon.template import GatingTemplate
from cytorecon.template.laip import LaipFile, laip_finding, read_laip, with_laip

__all__ = ["LaipFile", "gate_with_laip", "limits_of", "read_laip", "with_laip"]


def limits_of(laip: LaipFile) -> DetectionLimits | None:
    """Limits for `mrd_call` and `assess_mrd` from a patient's controls; None without controls."""
    stated = laip.controls
    return None if stated is None else DetectionLimits(stated.lob, stated.lod, stated.loq, "stated", 0, 0)


def gate_with_laip(path: str | Path, template: GatingTemplate, laip: LaipFile, **options: Any) -> GatedSample:
    """Gate a file by the patient's phenotypes.

    Parameters
    ----------
    path, template
        The file, and the shipped template that `laip` is for.
    laip
        The patient's phenotypes.
    options
        As for `gate_file`.

    Returns
    -------
    GatedSample
        Populations, name, version and hash are those of `template`; slots that the patient does not use are
        ``not_measured``. A finding names the phenotypes and the hash of the LAIP file.

    Raises
    ------
    TemplateError, FcsError, SpilloverError
        As for `with_laip` and `gate_file`.
    """
    gated = under(gate_file(path, with_laip(template, laip), **options), template)
    return replace(gated, findings=(*gated.findings, laip_finding(laip)))
