"""How far a count depends on where its cut points and gates lie, and when a person has to look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cytorecon.gating.placing import Placing
from cytorecon.gating.sample import PopulationCounts

# A count that another, about as good, position of a cut would change by more than this share of it and by more than
# this many events could tell another story. The number of events is the customary detection limit of flow cytometry.
REVIEW_SHARE, REVIEW_EVENTS = 0.2, 20.0


def with_doubt(counts: Iterable[PopulationCounts], placing: Placing) -> Iterator[PopulationCounts]:
    """Give every count its interval from gate placement, and set apart those that a person has to look at.

    That is asked only for populations that results are made of: those with a role or an identifier. A rest, or a step
    on the way, has its interval and no more.
    """
    meant = {
        population.path
        for population in placing.template.populations
        if population.role or population.cell_ontology or population.loinc
    }
    for one in counts:
        if one.status != "counted" or one.path not in placing.shifts:
            yield one
            continue
        below, above = placing.shifts[one.path]
        low, high = max(0, round(one.event_count - below)), round(one.event_count + above)
        moved = max(below, above)
        doubtful = one.path in placing.doubtful
        open_to_doubt = one.path in meant and moved > REVIEW_EVENTS and moved > REVIEW_SHARE * one.event_count
        status = "needs_review" if doubtful or open_to_doubt else one.status
        yield replace(one, low=low, high=min(high, one.parent_count), status=status)
