"""The counts of one file, from wherever they are: gated now, written by ``gate --json``, or recorded in a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cytorecon.errors import CountError, StudyError

if TYPE_CHECKING:
    import xarray as xr

    from cytorecon.gating import GatedSample, PopulationCounts, Status

_FIELDS = ("name", "path", "parent", "role", "event_count", "parent_count", "status")


def read_counts(file: str, template_name: str, study: Path | None = None) -> GatedSample | tuple[PopulationCounts, ...]:
    """The population counts of a file.

    Parameters
    ----------
    file
        An FCS file, the document of ``gate --json``, or with `study` the file as the sheet names it.
    template_name
        What an FCS file is gated with, or the name under which the study recorded it.
    study
        A study folder.

    Raises
    ------
    CountError
        A document is none of ``gate --json``.
    StudyError
        The study has no sample of that file, or several.
    """
    if study is not None:
        return _recorded(study, template_name, file)
    if file.endswith(".json"):
        return _written(Path(file))
    from cytorecon.gating import gate_file
    from cytorecon.interchange import load_template

    return gate_file(file, load_template(template_name, file=file))


def _written(path: Path) -> tuple[PopulationCounts, ...]:
    from cytorecon.gating import PopulationCounts

    try:
        populations = json.loads(path.read_text(encoding="utf-8"))["populations"]
        return tuple(PopulationCounts(**{name: each[name] for name in _FIELDS}) for each in populations)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CountError(
            path.name,
            "is no result of one gated file",
            expected="what `cytorecon gate FILE -t TEMPLATE --json` prints",
            got=type(error).__name__,
        ) from None


def _recorded(folder: Path, template_name: str, file: str) -> tuple[PopulationCounts, ...]:
    from cytorecon.study import open_study, read_samples

    samples = read_samples(open_study(folder, create=False), template_name)
    names = samples["file"].values.tolist()
    found = [index for index, name in enumerate(names) if file in (name, Path(name).name)]
    if len(found) != 1:
        raise StudyError(
            str(folder),
            f"has {'no' if not found else 'more than one'} sample of the file {file!r} gated with {template_name}",
            expected=", ".join(names[:20]),
            remedy="Name the file as the sheet does",
        )
    return _counts_of(samples.isel(sample=found[0]))


def _counts_of(row: xr.Dataset) -> tuple[PopulationCounts, ...]:
    """One recorded sample's populations, as gating gave them."""
    from cytorecon.cube import STATUS
    from cytorecon.gating import PopulationCounts

    words = {code: cast("Status", name) for name, code in STATUS.items()}
    columns = (
        row[name].values.tolist() for name in ("path", "parent", "role", "event_count", "parent_count", "status")
    )
    return tuple(
        PopulationCounts(path.rpartition("/")[2].replace("%2F", "/"), path, parent, role, events, of, words[status])
        for path, parent, role, events, of, status in zip(*columns, strict=True)
    )
