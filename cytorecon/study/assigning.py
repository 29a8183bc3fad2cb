"""What gates each sample of a run: the template they share, a patient's phenotypes in it, or a tree of its own.

In a FlowJo workspace every sample has a tree of its own, in which a person moved the gates. What the trees of a run
share is its template: the populations by path, and the channels each is drawn on. Where a gate lies belongs to the
sample, as a cut point that the data placed does. A path that means two things is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cytorecon.cube import PopulationSummary, TemplateSummary, summarise
from cytorecon.errors import CytoreconError, Finding, InterchangeError, StudyError
from cytorecon.study import chain

if TYPE_CHECKING:
    from cytorecon.gating import GatedSample
    from cytorecon.interchange.flowjo import Workspace
    from cytorecon.sheet import Sample
    from cytorecon.template import Definition, GatingTemplate
    from cytorecon.template.laip import LaipFile

Identity = tuple[object, ...]

# Stands in a LAIP document where the patient's file names somebody or something of theirs.
_HIDDEN = "-"


@dataclass(frozen=True)
class Own:
    """What belongs to one sample alone.

    Parameters
    ----------
    template
        What its file is gated by; None if that could not be found out.
    documents
        Kind -> text of what makes it the sample's own (``laip``, ``tree``), without what may identify the patient.
    personal
        What was left out of them, to be sealed.
    findings
        What to add to its result.
    event_count
        Events that its file has to have; −1 if nothing says so.
    problem
        Why it cannot be gated; None if it can.
    """

    template: GatingTemplate | None = None
    documents: Mapping[str, str] = field(default_factory=dict)
    personal: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    event_count: int = -1
    problem: CytoreconError | None = None


@dataclass(frozen=True)
class Strategy:
    """What gates the samples of one run.

    Parameters
    ----------
    summary
        The template that they share: what their cube is of.
    text
        The content of which `summary` has the hash.
    template
        The template itself; None where every sample has a tree of its own.
    owns
        `identity` of a sample -> what belongs to it alone; samples of which nothing does are left out.
    """

    summary: TemplateSummary
    text: str
    template: GatingTemplate | None = None
    owns: Mapping[Identity, Own] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:
        """Documents that all its records share."""
        from cytorecon.study.record import summary_document

        return {"template": self.text, "summary": summary_document(self.summary)}

    def own(self, sample: Sample) -> Own:
        """What belongs to one sample, and the template that gates it."""
        return self.owns.get(sample.identity) or Own(self.template)

    def finished(self, gated: GatedSample) -> GatedSample:
        """The result of a sample as one of the shared template."""
        from cytorecon.gating import under

        if gated.sample is None or gated.sample.identity not in self.owns:
            return gated
        own = self.own(gated.sample)
        findings = [*gated.findings, *own.findings]
        if not gated.error and own.event_count not in (-1, gated.event_count):
            message = f"the workspace counted {own.event_count} events, the file holds {gated.event_count}"
            findings.append(Finding("flowjo-event-count", message, "review"))
        return replace(under(gated, self.summary), findings=() if gated.error else tuple(findings))


def assign(samples: Sequence[Sample], template: GatingTemplate | Workspace) -> Strategy:
    """Find out what gates each sample.

    Raises
    ------
    InterchangeError
        A workspace has no tree for any of them, or means two things by one path.
    """
    from cytorecon.template import GatingTemplate, canonical_json

    if not isinstance(template, GatingTemplate):
        return _of_workspace(samples, template)
    owns: dict[Identity, Own] = {
        sample.identity: _with_laip(sample, template) for sample in samples if sample.laip_file is not None
    }
    return Strategy(summarise(template), canonical_json(template).decode(), template, owns)


def _with_laip(sample: Sample, template: GatingTemplate) -> Own:
    """Fill the template's slots with the phenotypes of the sample's patient."""
    from cytorecon.template.laip import laip_finding, read_laip, with_laip

    assert sample.laip_file is not None  # by `assign`
    try:
        laip = read_laip(sample.laip_file)
        if laip.patient != sample.patient:
            raise StudyError(
                sample.laip, "is not this patient's LAIP file", code="laip-patient",
                remedy="Write the same patient in the sheet and in the file, or name another file.",
            )  # fmt: skip
        public = without_names(laip)
        filled = with_laip(template, public)
    except CytoreconError as error:
        return Own(problem=error)
    personal = {"laip_patient": laip.model_dump(mode="json")}
    return Own(filled, {"laip": public.canonical}, personal, (laip_finding(public),))


def without_names(laip: LaipFile) -> LaipFile:
    """A LAIP file without what may identify its patient: phenotypes, controls, coverage and blasts remain."""
    diagnosis = laip.diagnosis and laip.diagnosis.model_copy(update={"file": _HIDDEN, "date": None})
    slots = tuple(slot.model_copy(update={"comment": ""}) for slot in laip.laip)
    return laip.model_copy(update={"patient": _HIDDEN, "diagnosis": diagnosis, "laip": slots, "comment": ""})


def _of_workspace(samples: Sequence[Sample], workspace: Workspace) -> Strategy:
    from cytorecon.interchange.naming import safe_name

    name = safe_name(workspace.path.stem)
    owns: dict[Identity, Own] = {sample.identity: _tree_of(sample, workspace, name) for sample in samples}
    owns |= _shared_by_files(samples, owns)
    trees = [own.template for own in owns.values() if own.template is not None]
    if not trees:
        raise InterchangeError(
            workspace.path.name, "has no tree for any file of the sheet", code="no-trees",
            got=" ".join(str(next(iter(owns.values())).problem).split())[:300] if owns else "no files",
        )  # fmt: skip
    populations = _union(trees)
    described = [[one.path, one.definition] for one in populations]
    text = chain.canonical({"name": name, "version": "0", "source": "FlowJo workspace", "population": described})
    return Strategy(TemplateSummary(name, "0", chain.sha256(text), populations), text, None, owns)


def _tree_of(sample: Sample, workspace: Workspace, name: str) -> Own:
    """The sample's own tree, under the workspace's name: its own may be that of a patient."""
    from cytorecon.interchange.flowjo import find_sample_of, sample_template
    from cytorecon.template import canonical_json

    try:
        found = find_sample_of(workspace, sample.file)
        tree = replace(sample_template(workspace, found), name=name, title="")
    except CytoreconError as error:
        # Other samples of the workspace, which the message may list, are other patients'.
        return Own(problem=InterchangeError(sample.file_name, error.problem, code=error.code))
    personal = {"workspace_sample": found.name}
    return Own(tree, {"tree": canonical_json(tree).decode()}, personal, event_count=found.event_count)


def _shared_by_files(samples: Iterable[Sample], owns: Mapping[Identity, Own]) -> dict[Identity, Own]:
    """Files that one sample of the workspace would stand for: which of them it is cannot be told."""
    files: dict[object, set[str]] = {}
    named = [(sample, owns[sample.identity].personal.get("workspace_sample")) for sample in samples]
    for sample, name in named:
        if name is not None:
            files.setdefault(name, set()).add(str(sample.file))
    problem = "is one of several files of the sheet that one sample of the workspace stands for"
    return {
        sample.identity: Own(problem=InterchangeError(sample.file_name, problem, code="workspace-sample"))
        for sample, name in named
        if len(files.get(name, ())) > 1
    }


def _union(trees: Iterable[GatingTemplate]) -> tuple[PopulationSummary, ...]:
    """Populations of all trees, parents first, in an order that the order of the samples does not change."""
    found: dict[str, PopulationSummary] = {}
    for tree in trees:
        for one in tree.populations:
            words = drawn_on(one.definition)
            known = found.setdefault(one.path, PopulationSummary(one.name, one.path, one.parent, "", words, "", ""))
            if known.definition != words:
                raise InterchangeError(
                    f"population {one.path!r}", "means two things in the trees of these files", code="two-definitions",
                    expected=known.definition, got=words,
                    remedy="Rename one of the two in FlowJo, or run the files apart, for example by --panel.",
                )  # fmt: skip
    return tuple(sorted(found.values(), key=lambda one: one.path.split("/")))


def drawn_on(definition: Definition) -> str:
    """What a population means, wherever its gate lies: the channels it is drawn on, or the Boolean."""
    from cytorecon.gates import Gate, QuadrantPart
    from cytorecon.template import describe

    if isinstance(definition, Gate) and not isinstance(definition, QuadrantPart):
        return f"gate on {', '.join(sorted(dimension.label for dimension in definition.dimensions))}"
    return describe(definition)
