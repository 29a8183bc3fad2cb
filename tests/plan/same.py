"""The one comparison of these tests: a pass over a file against the literal evaluator over all of its events."""

from __future__ import annotations

import numpy as np

from cytorecon.fcs import Events
from cytorecon.plan.literal import BoundTemplate, judge
from cytorecon.plan.run import Outcome, run


def assert_same(events: Events, bound: BoundTemplate, rows: int) -> Outcome:
    """Counts, memberships and what is not finite, by both ways."""
    expected = judge(bound, events.array()[:, list(bound.columns)])
    outcome = run(events, bound, membership=True, rows=rows)
    assert outcome.membership is not None
    for path, inside in expected.inside.items():
        assert np.array_equal(inside, outcome.membership[path]), path
        assert int(np.count_nonzero(inside)) == outcome.counts[path]
    assert int(np.count_nonzero(~expected.finite)) == outcome.not_finite
    assert outcome.counts == run(events, bound, rows=rows).counts
    return outcome
