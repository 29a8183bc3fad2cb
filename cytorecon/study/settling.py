"""What is settled before files are gated: overrides, control files, and pools, which are records of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cytorecon
from cytorecon.errors import CytoreconError
from cytorecon.sheet import Sample
from cytorecon.study import chain, schema

if TYPE_CHECKING:
    from cytorecon.compensation import Spillover
    from cytorecon.gating import Given
    from cytorecon.gating.overrides import Overrides
    from cytorecon.gating.pooling import Pool
    from cytorecon.template import GatingTemplate

# Column of a sheet that names the marker which a control file lacks.
FMO_COLUMN = "fmo"


def settle(
    connection: sqlite3.Connection,
    samples: Sequence[Sample],
    template: GatingTemplate,
    overrides: Overrides | None = None,
    *,
    repool: bool = False,
) -> dict[tuple[object, ...], Given]:
    """Find out what is settled of each sample, and record the pools that are new.

    Parameters
    ----------
    connection
        To the ledger.
    samples, template, overrides
        Of the run.
    repool
        Place pooled cut points anew on the samples of this run; otherwise a recorded pool stands, also for new files.

    Returns
    -------
    dict
        `identity` of a sample -> what is settled; samples of which nothing is are left out.

    Raises
    ------
    TemplateError
        An override names something the template does not have.
    PlacementError
        A template groups by a column that the sheet does not have.
    """
    from cytorecon.gating import Given
    from cytorecon.gating.pooling import given_by, pools_of

    found: dict[tuple[object, ...], Given] = {}

    def add(sample: Sample, given: Given) -> None:
        before = found.get(sample.identity)
        found[sample.identity] = given if before is None else before.joined(given)

    for pool in pools_of(samples, template):
        given = given_by(pool, _places(connection, pool, template, repool), pool.cutpoints)
        for sample in pool.samples:
            add(sample, given)
    for sample in samples:
        if controls := _controls(sample, samples):
            add(sample, Given(controls=controls))
        if overrides is not None:
            add(sample, overrides.for_sample(sample, template))
    return {identity: given for identity, given in found.items() if given.digest}


def _controls(sample: Sample, samples: Sequence[Sample]) -> dict[str, Path]:
    return {
        other.extra[FMO_COLUMN]: other.file
        for other in samples
        if other.control_for == sample.file_name and other.extra.get(FMO_COLUMN)
    }


def _places(connection: sqlite3.Connection, pool: Pool, template: GatingTemplate, repool: bool) -> dict[str, Any]:
    """Places of a recorded pool, or of one that is made and recorded now."""
    from cytorecon.gating import Found
    from cytorecon.gating.pooling import place_on_pool

    group = chain.sha256(chain.canonical([pool.column, pool.value]))
    held = None if repool else _held(connection, template.sha256, group)
    if held is None:
        places = place_on_pool(pool, template, _matrices(pool.samples))
        body = _body(pool, template, group, {name: asdict(one) for name, one in places.items()})
        with schema.transaction(connection):
            held = None if repool else _held(connection, template.sha256, group)  # another process was faster
            if held is None:
                held = _latest_equal(connection, body) or body
                if held is body:
                    chain.append(connection, body)
    return {name: Found(**one) for name, one in held["places"].items()}


def _body(pool: Pool, template: GatingTemplate, group: str, places: Mapping[str, Any]) -> dict[str, Any]:
    from cytorecon.batch import digest_of

    members = sorted(f"{digest_of(sample.file)}#{sample.dataset or 1}" for sample in pool.samples)
    return {
        "kind": "pool", "of": template.sha256, "column": pool.column, "group": group, "members": members,
        "places": dict(places), "engine": cytorecon.__version__,
    }  # fmt: skip


def _held(connection: sqlite3.Connection, template: str, group: str) -> dict[str, Any] | None:
    """The last recorded pool of this group and template."""
    last = None
    for body in chain.bodies(connection, "record.template IS NULL AND record.kind = 'pool'"):
        if (body["of"], body["group"]) == (template, group):
            last = body
    return last


def _latest_equal(connection: sqlite3.Connection, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The last pool of the group if it says the same of the same files."""
    last = _held(connection, str(body["of"]), str(body["group"]))
    same = last is not None and all(last[key] == body[key] for key in ("members", "engine"))
    return last if same else None


def _matrices(samples: Sequence[Sample]) -> dict[str, Spillover]:
    """Matrices that rows name as CSV files; one that cannot be read fails with its sample."""
    from cytorecon.sheet.matrix import read_matrix

    found = {}
    for path in {sample.compensation_file for sample in samples} - {None}:
        if path is not None:
            try:
                found[str(path)] = read_matrix(path)
            except (CytoreconError, OSError):
                continue
    return found
