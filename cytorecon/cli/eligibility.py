"""``cytorecon eligibility``: a verdict on one patient, every rule with its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytorecon.cli import AWAITS_REVIEW
from cytorecon.cli.output import print_json, say
from cytorecon.cli.prose import any_review, show_end
from cytorecon.errors import Finding

if TYPE_CHECKING:
    import xarray as xr

    from cytorecon.mrd import DetectionLimits
    from cytorecon.trial import Case, Criterion, Eligibility, MrdEvidence, Protocol, RuleResult

TITLES = {"bars": "Against", "open": "Open", "allows": "Allows"}


@click.command("eligibility")
@click.argument("case", type=click.Path(path_type=Path))
@click.option("--study", type=click.Path(path_type=Path), help="Take residual disease from this study's marrow.")
@click.option("-t", "--template", "template_name", help="The study's template; by default mrd_ and the disease.")
@click.option("--day", type=int, help="Day of the marrow to take (such as -21) where not the newest.")
@click.option("--transplant", type=int, default=1, show_default=True, help="The transplant that days count from.")
@click.option("--lob", type=click.FloatRange(0, 1), help="Limit of blank in control marrows, a fraction of 1.")
@click.option("--lod", type=click.FloatRange(0, 1), help="Limit of detection in control samples, a fraction of 1.")
@click.option("--infusion", type=int, help="Judge this infusion's criteria instead.")
@click.option("--parts", is_flag=True, help="Show the parts of the rules that allow, too.")
@click.option("--protocol", default="nct07256210", show_default=True, help="A shipped protocol, or a .toml file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    case: Path,
    study: Path | None,
    template_name: str | None,
    day: int | None,
    transplant: int,
    lob: float | None,
    lod: float | None,
    infusion: int | None,
    parts: bool,
    protocol: str,
    as_json: bool,
) -> None:
    """Judge the patient in CASE (.toml) by a trial's criteria: eligible, not eligible or undecided.

    What the case does not state is unknown and never passes. With --study the newest marrow up to the first day of
    conditioning decides on residual disease, evaluable or not. Exit code 4 means: done, but undecided, or a person
    has to look first.
    """
    from cytorecon.trial import eligibility, infusion_check, mrd_threshold, read_case, read_protocol, to_mapping

    _check_usage(study, infusion, {"--template": template_name, "--day": day, "--lob": lob, "--lod": lod})
    facts, rules = read_case(case), read_protocol(protocol)
    if infusion is not None:
        result = infusion_check(facts, rules, infusion)
    elif study is not None and mrd_threshold(rules, facts.disease.name) is not None:
        from cytorecon.study import open_study, read_cube

        cube = read_cube(open_study(study, create=False), template_name or f"mrd_{facts.disease.name}")
        result = eligibility(facts, rules, _evidence(cube, facts, rules, transplant, day, _limits(lob, lod)))
    else:
        result = eligibility(facts, rules)
    if as_json:
        print_json(to_mapping(result))
    else:
        _show(result, parts)
    if result.verdict == "undecided" or any_review(result.findings):
        ctx.exit(AWAITS_REVIEW)


def _check_usage(study: Path | None, infusion: int | None, of_study: dict[str, object]) -> None:
    if infusion is not None and study is not None:
        raise click.UsageError("--infusion asks nothing of a study: leave out --study.")
    for name, value in of_study.items():
        if study is None and value is not None:
            raise click.UsageError(f"{name} says something of a study's marrow: give --study.")
    if of_study["--lod"] is not None and of_study["--lob"] is None:
        raise click.UsageError("--lod rests on --lob: give both.")


def _limits(lob: float | None, lod: float | None) -> DetectionLimits | None:
    from cytorecon.mrd import DetectionLimits

    return None if lob is None else DetectionLimits(lob, lod, None, "stated", 0, 0)


def _evidence(
    cube: xr.Dataset,
    case: Case,
    protocol: Protocol,
    transplant: int,
    day: int | None,
    limits: DetectionLimits | None,
) -> MrdEvidence:
    """Residual disease from a study; one without a marrow of the patient is no reason to take another source."""
    from cytorecon.trial import MrdEvidence, marrow_evidence
    from cytorecon.trial.facts import Facts

    found = marrow_evidence(
        cube,
        case.patient.id,
        protocol,
        case.disease.name,
        transplant=transplant,
        day=day,
        conditioning_day=Facts(case, protocol).conditioning_day,
        limits=limits,
    )
    if found is not None:
        return found
    asked = "up to the first day of conditioning" if day is None else f"of day {day:+d}"
    message = f"the study holds no marrow of the patient {asked}"
    return MrdEvidence(None, sample="none in the study", findings=(Finding("no-marrow", message, "review"),))


def _show(result: Eligibility, parts: bool) -> None:
    say(result.text)
    click.echo()
    for effect, title in TITLES.items():
        criteria = [criterion for criterion in result.criteria if criterion.effect == effect]
        if criteria:
            click.echo(f"{title} ({len(criteria)})")
            for criterion in criteria:
                _show_criterion(criterion, parts or effect != "allows")
            click.echo()
    show_end(result.ambiguities, result.findings, result.note)


def _show_criterion(criterion: Criterion, parts: bool) -> None:
    result = criterion.result
    numbers = ", ".join(criterion.ambiguities)
    _show_rule(result, 1, "")
    for note in (criterion.decision, f"ambiguity {numbers}, see below" if numbers else ""):
        if note:
            say(note, indent=" " * 5)
    for depth, part, above in _below(result, 2) if parts else ():
        _show_rule(part, depth, above.evidence)


def _below(result: RuleResult, depth: int) -> Iterator[tuple[int, RuleResult, RuleResult]]:
    for part in result.parts:
        yield depth, part, result
        yield from _below(part, depth + 1)


def _show_rule(result: RuleResult, depth: int, said: str) -> None:
    """One line for what is asked and answered, one for the evidence where it was not `said` just above."""
    indent, deeper = " " * (2 * depth - 1), " " * (2 * depth + 3)
    answer = result.answer.replace("_", " ")
    say(f"{result.id:<4} {answer}: {result.title} [{result.cites}]", indent=indent, hanging=deeper)
    words = [result.evidence] if result.evidence != said else []
    words += [f"evidence of {result.refers_to}"] if result.refers_to else []
    words += [f"as of {result.reference} {result.reference_date}"] if result.reference_date else []
    if words:
        say("; ".join(words), indent=deeper)
