"""Immune reconstitution: visits, endpoints, age-matched references, cohort summaries and cumulative incidence.

Functions on a plain cube; results are DataFrames with units in their attributes. Research use only.
"""

from __future__ import annotations

from cytorecon.reconstitution.cohort import (
    censored_quantile,
    endpoint_incidence,
    incidence_by_group,
    quantile_words,
    small_number,
    summarise_visits,
)
from cytorecon.reconstitution.endpoint import ENDPOINTS, Endpoint, assess_endpoint, parse_endpoint
from cytorecon.reconstitution.incidence import Estimate, cumulative_incidence, survival, value_at
from cytorecon.reconstitution.reference import (
    ReferenceTable,
    compare_with_reference,
    full_definitions,
    read_reference,
)
from cytorecon.reconstitution.report import ReconstitutionResult, plain, reconstitution_mapping, reconstitution_result
from cytorecon.reconstitution.series import concentration_series, nominal_days, sheet_column
from cytorecon.reconstitution.visit import (
    CONFOUNDED,
    SCHEDULE_SOURCE,
    DayWindow,
    default_visits,
    is_confounded,
    monthly_visits,
    visits_at,
)

__all__ = [
    "CONFOUNDED",
    "ENDPOINTS",
    "SCHEDULE_SOURCE",
    "DayWindow",
    "Endpoint",
    "Estimate",
    "ReconstitutionResult",
    "ReferenceTable",
    "assess_endpoint",
    "censored_quantile",
    "compare_with_reference",
    "concentration_series",
    "cumulative_incidence",
    "default_visits",
    "endpoint_incidence",
    "full_definitions",
    "incidence_by_group",
    "is_confounded",
    "monthly_visits",
    "nominal_days",
    "parse_endpoint",
    "plain",
    "quantile_words",
    "read_reference",
    "reconstitution_mapping",
    "reconstitution_result",
    "sheet_column",
    "small_number",
    "summarise_visits",
    "survival",
    "value_at",
    "visits_at",
]
