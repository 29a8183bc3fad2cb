"""The newest marrow before conditioning, taken from a study's cube: the one that counts, evaluable or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cytorecon.cube import STATUS, is_counted
from cytorecon.errors import CubeError, Finding, ProtocolError
from cytorecon.mrd import DetectionLimits, MrdAssessment, MrdThreshold, mrd_call
from cytorecon.trial.facts import MrdEvidence
from cytorecon.trial.protocol import Protocol
from cytorecon.trial.residual import mrd_threshold

if TYPE_CHECKING:
    import xarray as xr

_STATUS_WORDS = {code: name.replace("_", " ") for name, code in STATUS.items()}


def marrow_evidence(
    cube: xr.Dataset,
    patient: str,
    protocol: Protocol,
    disease: str,
    *,
    transplant: int = 1,
    day: int | None = None,
    conditioning_day: int | None = None,
    limits: DetectionLimits | None = None,
) -> MrdEvidence | None:
    """Residual disease of a patient's newest marrow drawn up to the first day of conditioning.

    Parameters
    ----------
    cube
        Either form: dims (patient, timepoint, specimen, population), or (sample, population). Leukaemic events have
        the role ``mrd``, denominators ``nucleated`` and ``cd45``, the blast region ``blasts``.
    patient, transplant
        Whose marrow, and the transplant its days count from.
    protocol, disease
        The threshold the counts are assessed against.
    day
        The actual day of the marrow to take, where not the newest.
    conditioning_day
        First day of conditioning; the protocol's if None. A marrow of that very day is taken: the rule adjudicates.
    limits
        Detection limits from controls.

    Returns
    -------
    MrdEvidence or None
        None if the patient has no such marrow. A newest marrow that failed, awaits review or holds no cells has no
        assessment: an older one never stands in for it.

    Raises
    ------
    ProtocolError
        The protocol has no threshold for the disease.
    CubeError
        The patient is not in the cube, several samples are as new, or several populations carry one role.
    CountError
        The counts contradict each other.
    """
    threshold = mrd_threshold(protocol, disease)
    if threshold is None:
        raise ProtocolError(f"protocol {protocol.id}", "has no residual-disease threshold for it", got=disease)
    first = protocol.record.conditioning_day if conditioning_day is None else conditioning_day
    marrows = _marrows(cube, patient, transplant)
    days = [(int(each["day"]), each) for each in marrows if float(each["day"]) <= first or day is not None]
    wanted = day if day is not None else max((found for found, _ in days), default=None)
    newest = [each for found, each in days if found == wanted]
    if not newest:
        return None
    if len(newest) > 1:
        remedy = "Give the cube, where replicates are pooled, or the panel's own samples"
        raise CubeError(f"day {wanted}", "has several marrow samples of the patient", remedy=remedy)
    return _evidence(newest[0], threshold, limits)


def marrow_days(cube: xr.Dataset, patient: str, transplant: int = 1) -> tuple[int, ...]:
    """Actual days of a patient's marrow samples, in order; none where the patient is not in the cube."""
    try:
        found = _marrows(cube, patient, transplant)
    except CubeError:
        return ()
    return tuple(sorted({int(each["day"]) for each in found}))


def _marrows(cube: xr.Dataset, patient: str, transplant: int) -> list[xr.Dataset]:
    """The patient's sampled marrows, each with the dimension population alone."""
    if "timepoint" in cube.dims:
        name = patient if transplant == 1 else f"{patient} (transplant {transplant})"
        _known(name, cube["patient"].values.tolist())
        if "marrow" not in cube["specimen"].values:
            return []
        course = cube.sel(patient=name, specimen="marrow")
        rows = [course.isel(timepoint=index) for index in range(course.sizes["timepoint"])]
        return [row for row in rows if int(row["sample"]) >= 0]
    _known(patient, cube["patient"].values.tolist())
    mine = (cube["patient"] == patient) & (cube["transplant"] == transplant)
    mine &= (cube["specimen"] == "marrow") & (cube["control_for"] == "")
    return [cube.isel(sample=int(index)) for index in mine.values.nonzero()[0]]


def _known(patient: str, patients: list[str]) -> None:
    if patient not in patients:
        raise CubeError("patient", "is not in the study", got=patient, remedy="Use the name of the sample sheet")


def _evidence(marrow: xr.Dataset, threshold: MrdThreshold, limits: DetectionLimits | None) -> MrdEvidence:
    day = int(marrow["day"])
    source = f"marrow of day {day:+d}"
    events, status = _count(marrow, "mrd", required=True)
    nucleated, _ = _count(marrow, "nucleated")
    cd45, _ = _count(marrow, "cd45")
    blasts, _ = _count(marrow, "blasts")
    if events is None or (nucleated is None and cd45 is None):
        why = status if events is None else "no denominator was counted"
        finding = Finding("marrow-not-evaluable", f"the newest {source} gives no result: {why}", "review", "mrd")
        return MrdEvidence(None, day=day, sample=f"{source}, {why}", findings=(finding,))
    assessment = _assessed(events, nucleated, cd45, blasts, threshold, limits)
    return MrdEvidence(assessment, day=day, sample=source, findings=assessment.findings)


def _assessed(
    events: int,
    nucleated: int | None,
    cd45: int | None,
    blasts: int | None,
    threshold: MrdThreshold,
    limits: DetectionLimits | None,
) -> MrdAssessment:
    if nucleated is not None:
        return mrd_call(
            events, nucleated, threshold, "nucleated", cd45_count=cd45, blast_region_count=blasts, limits=limits
        )
    return mrd_call(events, cd45 or 0, threshold, "cd45", blast_region_count=blasts, limits=limits)


def _count(marrow: xr.Dataset, role: str, required: bool = False) -> tuple[int | None, str]:
    """Events of the population of that role, None where they are no count, and their status in words."""
    places = [place for place, own in enumerate(marrow["role"].values.tolist()) if own == role]
    if len(places) > 1 or (required and not places):
        raise CubeError(f"role {role}", "has to be carried by one population", got=str(len(places)))
    if not places:
        return None, "not measured"
    one = marrow.isel(population=places[0])
    status = _STATUS_WORDS[int(one["status"])]
    return (int(one["event_count"]) if bool(is_counted(one)) else None), status
