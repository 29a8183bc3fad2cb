"""A FlowJo workspace checked: are its trees sound, and do its stored counts agree with ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytorecon.cli.output import finding_mapping, print_json, say, show, show_findings, table
from cytorecon.errors import CytoreconError

if TYPE_CHECKING:
    from cytorecon.cli.check import Tube
    from cytorecon.gating import GatedSample
    from cytorecon.interchange.flowjo import ComparedCount, Workspace, WorkspaceSample


def check_workspace(path: Path, tubes: list[Tube], sample: str | None, as_json: bool) -> bool:
    """Check a workspace alone, or against the files it was made from; True if some of them failed."""
    from cytorecon.interchange.flowjo import read_workspace

    workspace = read_workspace(path)
    if not tubes:
        return _check_trees(workspace, sample, as_json)
    results = [_compare(workspace, tube, sample) for tube in tubes]
    if as_json:
        print_json({"workspace": path.name, "version": workspace.version, "files": results})
    else:
        for result in results:
            _show(result)
    return any(result["error"] for result in results)


def _check_trees(workspace: Workspace, sample: str | None, as_json: bool) -> bool:
    """Whether each sample's tree has an equivalent here."""
    from cytorecon.interchange.flowjo import find_sample

    samples = [find_sample(workspace, sample)] if sample else list(workspace.samples)
    trees = [_tree(workspace, each) for each in samples]
    if as_json:
        print_json({"workspace": workspace.path.name, "version": workspace.version, "samples": trees})
    else:
        columns = ("sample", "populations", "events in FlowJo", "tree")
        rows = [
            (each["sample"], str(len(each["populations"])), _count(each["event_count"]), each["tree"]) for each in trees
        ]
        show(table(f"{workspace.path.name}, FlowJo {workspace.version}", columns, rows))
        for each in filter(lambda each: each["error"], trees):
            say(each["error"], indent=" ", hanging=" " * 5)
    return any(each["tree"] == "not supported" for each in trees)


def _tree(workspace: Workspace, sample: WorkspaceSample) -> dict[str, Any]:
    from cytorecon.interchange.flowjo import sample_template

    error, tree = "", "sound"
    try:
        sample_template(workspace, sample)
    except CytoreconError as refused:
        error, tree = str(refused), "no gates" if refused.code == "no-gates" else "not supported"
    return {
        "sample": sample.name,
        "groups": list(sample.groups),
        "event_count": sample.event_count,
        "populations": dict(sample.counts),
        "tree": tree,
        "error": error,
    }


def _compare(workspace: Workspace, tube: Tube, name: str | None) -> dict[str, Any]:
    """One file gated by its own sample's tree, beside the counts that FlowJo stored."""
    from cytorecon.gating import gate_file
    from cytorecon.interchange.flowjo import compare_counts, find_sample, find_sample_of, sample_template

    result: dict[str, Any] = {"file": tube.name, "sample": "", "populations": [], "findings": [], "error": ""}
    try:
        sample = find_sample(workspace, name) if name else find_sample_of(workspace, tube.path)
        gated = gate_file(tube.path, sample_template(workspace, sample), dataset=tube.dataset, spillover=tube.spillover)
    except CytoreconError as error:
        return result | {"error": " ".join(str(error).split())}
    compared = compare_counts(sample, _ours(gated))
    return result | {
        "sample": sample.name,
        "populations": [_mapping(each) for each in compared],
        "findings": [finding_mapping(finding) for finding in gated.findings],
    }


def _ours(gated: GatedSample) -> dict[str, int]:
    return {"": gated.event_count} | {counts.path: counts.event_count for counts in gated.counts}


def _mapping(compared: ComparedCount) -> dict[str, Any]:
    return {
        "path": compared.path,
        "ours": compared.ours,
        "flowjo": compared.flowjo,
        "difference": compared.difference,
    }


def _show(result: dict[str, Any]) -> None:
    from cytorecon.errors import Finding

    if result["error"]:
        say(f"{result['file']}: {result['error']}", hanging=" " * 5)
        click.echo()
        return
    show(table(_title(result), ("population", "ours", "FlowJo", "difference"), _rows(result)))
    show_findings([Finding(**finding) for finding in result["findings"]])


def _title(result: dict[str, Any]) -> str:
    differences = [each["difference"] for each in result["populations"] if each["difference"] is not None]
    largest = max(map(abs, differences), default=0)
    words = f"the largest difference is {largest:,} events" if largest else "equal"
    renamed = f" (sample {result['sample']})" if result["sample"] != result["file"] else ""
    return f"{result['file']}{renamed}: {len(differences)} counts compared, {words}"


def _rows(result: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for each in result["populations"]:
        name = each["path"].rpartition("/")[2].replace("%2F", "/") or "all events"
        depth = each["path"].count("/") + bool(each["path"])
        off = each["difference"]
        yield (
            "  " * depth + name,
            _count(each["ours"]),
            _count(each["flowjo"]),
            "–" if off is None else f"{off:+,}" if off else "0",
        )


def _count(count: int) -> str:
    return "–" if count < 0 else f"{count:,}"
