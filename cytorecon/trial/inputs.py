"""What a study holds for a trial: the blood's samples and each disease's marrow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cytorecon.errors import StudyError

if TYPE_CHECKING:
    import xarray as xr

    from cytorecon.study import Study

BLOOD = "tbnk"
MARROW = {"aml": "mrd_aml", "t_all": "mrd_t_all", "mpal": "mrd_mpal"}


def study_cubes(
    study: Study, blood: str = BLOOD, marrow: Mapping[str, str] = MARROW
) -> tuple[xr.Dataset | None, dict[str, xr.Dataset]]:
    """Blood samples and marrow cubes of a study, as `trial_result` takes them.

    Parameters
    ----------
    study
        From `open_study`.
    blood
        Name of the blood template; its samples are returned, so that no day is lost to a visit.
    marrow
        Disease to the name of its template.

    Returns
    -------
    blood, marrow
        None, and no entry, for a template the study holds no results of.

    Raises
    ------
    StudyError, IntegrityError
        The study cannot be read.
    """
    from cytorecon.study import read_cube, read_samples

    found = {disease: _held(read_cube, study, name) for disease, name in marrow.items()}
    cubes = {disease: cube for disease, cube in found.items() if cube is not None}
    return _held(read_samples, study, blood), cubes


def _held(read: Callable[[Study, str], xr.Dataset], study: Study, name: str) -> xr.Dataset | None:
    try:
        return read(study, name)
    except StudyError as error:
        if error.code != "unknown-template":
            raise
        return None
