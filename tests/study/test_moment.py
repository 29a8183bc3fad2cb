"""Moments in a ledger."""

from __future__ import annotations

import pytest
from made import gated, record_all, sample

from cytorecon.errors import StudyError
from cytorecon.study import Study, read_cube, read_samples


@pytest.mark.parametrize("as_of", [2.5, True, 0, -1, "0", "yesterday", float("nan")])
def test_as_of__what_is_no_moment_is_refused(study: Study, as_of: object) -> None:
    """Neither a fraction nor a truth value is a record's number, and the first is 1."""
    record_all(study, [gated(sample())])
    for read in (read_cube, read_samples):
        with pytest.raises(StudyError, match=rf"as of '{as_of}': is no moment; expected a sequence number"):
            read(study, "small", as_of)
