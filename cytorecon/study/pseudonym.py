"""Names that say nothing about a patient, for whatever leaves the study."""

from __future__ import annotations

from cytorecon.study import schema
from cytorecon.study.folder import Study
from cytorecon.study.patient import read_patients


def pseudonyms(study: Study) -> dict[str, str]:
    """Every name that a patient has or had -> a pseudonym, random but the same for as long as the study lives.

    Names from before a patient was renamed show in a cube as of then. A forgotten patient has no name any more, and is
    left out.
    """
    with schema.connected(study.ledger) as connection, schema.snapshot(connection):
        patients = read_patients(connection)
    return {name: f"P-{patients.standing(token)[:8]}" for name, token in patients.tokens.items()}
