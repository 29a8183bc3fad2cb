"""``cytorecon inspect``: what an FCS file or a study holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytorecon.cli.output import finding_mapping, message, print_json, show, show_findings, table
from cytorecon.errors import SpilloverError

if TYPE_CHECKING:
    from cytorecon.fcs import DataSetSummary, Events

# Channels have a table of their own, and where bytes lie is nothing a person reads; --json has them all.
STRUCTURE = ("$P", "$BEGIN", "$END", "$NEXTDATA", "$TOT", "$DATATYPE", "$BYTEORD", "$SPILL", "SPILL", "$COMP")


@click.command("inspect")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--dataset", type=int, help="Only this data set of the file (1 is the first).")
@click.option("--identifiers", is_flag=True, help="Also show keywords that may identify a patient.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(path: Path, dataset: int | None, identifiers: bool, as_json: bool) -> None:
    """Show the channels, keywords, spillover and findings of an FCS file, or what a study folder holds.

    Keywords that may identify a patient are left out unless --identifiers is given.
    """
    if path.is_dir():
        from cytorecon.cli.study import inspect_study

        inspect_study(path, as_json=as_json)
        return
    from cytorecon.fcs import data_sets

    found = [one for one in data_sets(path) if dataset in (None, one.number)]
    if len(found) == 1 and found[0].error is not None:
        raise found[0].error
    if dataset is not None and not found:
        raise click.BadParameter(f"{path.name} has no data set {dataset}", param_hint="--dataset")
    described = [_describe(one, identifiers) for one in found]
    if as_json:
        print_json({"file": path.name, "data_sets": described})
        return
    for one in described:
        _show(path.name, one, alone=len(described) == 1)


def _describe(summary: DataSetSummary, identifiers: bool) -> dict[str, Any]:
    events = summary.events
    if events is None:
        return {"dataset": summary.number, "error": str(summary.error)}
    from cytorecon.fcs import public_keywords

    for _ in events.blocks(linear=False, digest=True):  # NaN, infinities and the CRC show only after a pass
        pass
    acquired = events.acquisition
    return {
        "dataset": events.dataset,
        "version": events.version,
        "sha256": events.sha256,
        "event_count": events.event_count,
        "instrument": acquired.instrument,
        "serial": acquired.serial,
        "date": acquired.date,
        "begin": acquired.begin,
        "end": acquired.end,
        "channels": [
            {
                "name": channel.name,
                "marker": channel.marker,
                "datatype": channel.datatype,
                "bits": channel.bits,
                "range": channel.range,
                "gain": channel.gain,
                "amplification": channel.amplification,
                "timestep": channel.timestep,
            }
            for channel in events.channels
        ],
        "spillover": _spillover(events),
        "findings": [finding_mapping(finding) for finding in events.findings],
        "keywords": dict(sorted((events.keywords if identifiers else public_keywords(events)).items())),
        "keywords_withheld": 0 if identifiers else len(events.keywords) - len(public_keywords(events)),
    }


def _spillover(events: Events) -> dict[str, Any] | None:
    """The file's matrix, or why it cannot be used: the file itself opens all the same."""
    try:
        matrix = events.spillover()
    except SpilloverError as error:
        return {"error": str(error)}
    if matrix is None:
        return None
    return {
        "source": matrix.source,
        "detectors": list(matrix.detectors),
        "matrix": matrix.matrix.tolist(),
        "findings": [finding_mapping(finding) for finding in matrix.findings],
    }


def _show(name: str, one: dict[str, Any], *, alone: bool) -> None:
    title = name if alone else f"{name}, data set {one['dataset']}"
    if "error" in one:
        message(f"{title}: {one['error']}")
        return
    facts = [
        ("FCS version", one["version"]),
        ("events", f"{one['event_count']:,}"),
        ("instrument", " ".join(filter(None, (one["instrument"], one["serial"]))) or "not stated"),
        ("acquired", _acquired(one) or "not stated"),
        ("spillover", _spillover_words(one["spillover"])),
        ("SHA-256", one["sha256"]),
    ]
    channels = [
        (index, channel["name"], channel["marker"], _type(channel), f"{channel['range']:g}", _scale(channel))
        for index, channel in enumerate(one["channels"], 1)
    ]
    keywords = [(keyword, value if len(value) <= 100 else f"{value[:99]}…") for keyword, value in _shown(one)]
    show(
        table(title, ("", ""), facts, left=2),
        table("Channels", ("", "name", "marker", "type", "range", "gain"), channels, left=4),
        table("Keywords", ("keyword", "value"), keywords, left=2),
    )
    show_findings([_finding(finding) for finding in one["findings"] + (one["spillover"] or {}).get("findings", [])])
    if one["keywords_withheld"]:
        message(f"{one['keywords_withheld']} keywords that may identify a patient are not shown (--identifiers).")


def _acquired(one: dict[str, Any]) -> str:
    return " ".join(filter(None, (one["date"], one["begin"], "–" if one["end"] else "", one["end"])))


def _shown(one: dict[str, Any]) -> list[tuple[str, str]]:
    """Keywords worth a line: not those of the layout of bytes, nor what the tables above already say."""
    return [(keyword, value) for keyword, value in one["keywords"].items() if not keyword.startswith(STRUCTURE)]


def _finding(mapping: dict[str, Any]) -> Any:
    from cytorecon.errors import Finding

    return Finding(**mapping)


def _type(channel: dict[str, Any]) -> str:
    return {"I": "integer", "F": "float", "D": "double"}[channel["datatype"]] + f" {channel['bits']}"


def _scale(channel: dict[str, Any]) -> str:
    if channel["amplification"]:
        return f"log, {channel['amplification'][0]:g} decades"
    if channel["timestep"]:
        return f"{channel['timestep']:g} s a tick"
    return f"{channel['gain']:g}"


def _spillover_words(spillover: dict[str, Any] | None) -> str:
    if spillover is None:
        return "none"
    if "error" in spillover:
        return f"unusable: {spillover['error']}"
    return f"{spillover['source']}, {len(spillover['detectors'])} channels"
