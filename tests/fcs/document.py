"""The tables of docs/fcs.md: ``python -m fcs.document`` in tests/ writes them anew."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from cytorecon.errors import FcsError
from cytorecon.fcs import DEVIATIONS, REFUSALS, data_sets

ROOT = Path(__file__).parents[2]
ENDINGS = (".fcs", ".lmd", ".b08", ".001")


def tables(shared: Path | None = None) -> dict[str, str]:
    """Markdown tables by the name of their place in the document; ``files`` needs the real files."""
    findings = [
        "| code | severity | what the file does | what is assumed | why that is the one safe reading |",
        "|---|---|---|---|---|",
        *(f"| `{code}` | {found.severity} | {found.found} | {found.assumed} | {found.why} |"
          for code, found in DEVIATIONS.items()),
    ]  # fmt: skip
    errors = ["| code | situation |", "|---|---|", *(f"| `{code}` | {text} |" for code, text in REFUSALS.items())]
    result = {"findings": "\n".join(findings), "errors": "\n".join(errors)}
    if shared:
        rows = [row for folder in ("hard", "data") for row in file_rows(shared, folder)]
        header = ["| file | FCS | events | findings, or the error | other readers |", "|---|---|---|---|---|"]
        result["files"] = "\n".join([*header, *rows])
    return result


def file_rows(shared: Path, folder: str) -> list[str]:
    """One row a data set of every file of a folder, values decoded."""
    others = {}
    if folder == "hard":
        with (shared / "hard" / "errors.csv").open(newline="") as lines:
            for row in csv.DictReader(lines):
                counts = (row["FlowCal_events_or_error"], row["fcsparser_events_or_error"])
                others[row["file"]] = "flowio refuses; FlowCal {}, fcsparser {}".format(
                    *(count if count.isdigit() else "fails" for count in counts)
                )
    rows = []
    for path in sorted((shared / folder).rglob("*")):
        if path.suffix.lower() in ENDINGS:
            rows += [f"| {path.relative_to(shared)} {line} | {others.get(path.name, '')} |" for line in outcomes(path)]
    return rows


def outcomes(path: Path) -> list[str]:
    """Version, events and findings, or the error, of each data set."""
    try:
        summaries = data_sets(path)
    except FcsError as error:
        return [f"| | | error `{error.code}`: {error.problem}"]
    lines = []
    for summary in summaries:
        number = f"(data set {summary.number}) " if len(summaries) > 1 else ""
        if summary.events is None:
            assert summary.error is not None
            lines.append(f"{number}| | | error `{summary.error.code}`: {summary.error.problem}; {summary.error.got}")
            continue
        summary.events.array()
        codes = ", ".join(f"`{code}`" for code in dict.fromkeys(found.code for found in summary.events.findings))
        lines.append(f"{number}| {summary.events.version} | {summary.events.event_count} | {codes}")
    return lines


def renew(document: Path, shared: Path) -> None:
    """Put the tables between their marks."""
    text = document.read_text("utf-8")
    for name, table in tables(shared).items():
        marks = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        pattern = re.escape(marks[0]) + ".*?" + re.escape(marks[1])
        text = re.sub(pattern, lambda _, new=marks[0] + table + marks[1]: new, text, flags=re.DOTALL)
    document.write_text(text, "utf-8")


if __name__ == "__main__":
    renew(ROOT / "docs" / "fcs.md", ROOT.parent / "shared")
