"""Measurable residual disease as evidence: counts, exact intervals, detection limits, and what each threshold says.

A result is never a boolean. `mrd_call` states quantification, adequacy, position, call and the protocol's answer apart;
`assess_mrd` does so for every sample of a cube. Research use only.
"""

from __future__ import annotations

from cytorecon.mrd.assess import assess_mrd
from cytorecon.mrd.call import mrd_call
from cytorecon.mrd.hemodilution import NOT_ASSESSED, Hemodilution, blood_contamination_index
from cytorecon.mrd.limits import DetectionLimits, detection_limits
from cytorecon.mrd.pooling import (
    Homogeneity,
    PooledCount,
    driving_tube,
    homogeneity,
    pool_replicates,
    union_count,
)
from cytorecon.mrd.result import MrdAssessment, ThresholdAssessment, mrd_json
from cytorecon.mrd.threshold import ELN_2021_AML, MRD_THRESHOLDS, Denominator, MrdThreshold
from cytorecon.mrd.words import all_response

__all__ = [
    "ELN_2021_AML",
    "MRD_THRESHOLDS",
    "NOT_ASSESSED",
    "Denominator",
    "DetectionLimits",
    "Hemodilution",
    "Homogeneity",
    "MrdAssessment",
    "MrdThreshold",
    "PooledCount",
    "ThresholdAssessment",
    "all_response",
    "assess_mrd",
    "blood_contamination_index",
    "detection_limits",
    "driving_tube",
    "homogeneity",
    "mrd_call",
    "mrd_json",
    "pool_replicates",
    "union_count",
]
