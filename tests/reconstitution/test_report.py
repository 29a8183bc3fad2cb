"""A study's reconstitution in one result, as text and as JSON."""

from __future__ import annotations

import json

import pytest
from blood_cohorts import blood, cd4_rows, patients, samples_of

from cytorecon.errors import CubeError
from cytorecon.reconstitution import read_reference, reconstitution_mapping, reconstitution_result


def test_reconstitution_result__of_a_cohort() -> None:
    """Endpoints of every patient, quartiles by visit, incidence; research use said; JSON without NaN."""
    result = reconstitution_result(blood(patients(5)))
    assert set(result.tables) == {"series", "endpoints", "visits", "incidence"}
    assert len(result.tables["endpoints"]) == 5 * 5
    text = "\n".join(result.lines)
    assert "not in the trial record" in text
    assert "CD4 T cells > 50/µL twice in a row within 100 days" in text
    assert text.endswith("Research use only. Not a medical device; a clinician decides.")
    json.dumps(reconstitution_mapping(result), allow_nan=False)


def test_reconstitution_result__of_one_patient_with_references() -> None:
    """One patient's values with their definition, position in the reference and tags."""
    samples = samples_of(cd4_rows("A", {20: 10, 60: 300}) + cd4_rows("B", {60: 20}))
    result = reconstitution_result(samples, "A", references=[read_reference()], age_years={"A": 8.0})
    text = "\n".join(result.lines)
    assert "A, day +60, CD4 T cells [CD4+ CD8-]: 300/µL (297 to 303); below" in text
    assert "A, day +20, CD4 T cells [CD4+ CD8-]: 10/µL (9.39 to 10.6); below; infused cells counted as well" in text
    assert "without a concentration in any sample: B cells, CD8 T cells, NK cells, NK clinical, T cells" in text
    assert "B" not in set(result.tables["series"]["patient"])


def test_reconstitution_result__names_endpoints_the_template_lacks() -> None:
    """An endpoint without its population is not evaluable, and said to be."""
    result = reconstitution_result(blood(patients(1)), populations=["NK cells"])
    assert "not evaluable, not in the template: CD4 T cells ≥ 50/µL once within 100 days" in result.lines


def test_reconstitution_result__unknown_patient() -> None:
    """A patient without blood in the study is an error."""
    with pytest.raises(CubeError, match="patient: has no blood sample in the study"):
        reconstitution_result(blood(patients(1)), "nobody")
