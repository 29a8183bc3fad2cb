"""Compensation: from what the detectors saw to what each fluorochrome shone.

The written specification, event by event, for detectors 0, 1, 2, …::

    fluorochrome_j = ((x_0 · u_0j) + x_1 · u_1j) + x_2 · u_2j …

in float64, from left to right, zeros included, each product and each sum rounded once. There is no matrix
product of a library in it, whose order of additions depends on the number of events and on the processor.
``u`` is the inverse of the spillover matrix or, where there are more detectors than fluorochromes, its
pseudo-inverse (least squares, as Gating-ML 2.0 says of a spectrum matrix). It is computed here by elementary
float64 steps too; see `Spillover.unmixing`.
"""

from cytorecon.compensation.applying import compensate, compensate_columns
from cytorecon.compensation.inversion import inverse
from cytorecon.compensation.reading import resolve_names, resolved_for, spillover_from_inverse, spillover_from_text
from cytorecon.compensation.spillover import Spillover

__all__ = [
    "Spillover",
    "compensate",
    "compensate_columns",
    "inverse",
    "resolve_names",
    "resolved_for",
    "spillover_from_inverse",
    "spillover_from_text",
]
