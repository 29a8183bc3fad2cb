"""Scales: from linear fluorescence to the display scale on which gates are drawn, and back.

All follow Gating-ML 2.0 (Spidlen et al. 2015, doi:10.1002/cyto.a.22690): ``t`` is the top of the linear
scale and lands on 1, ``m`` the decades, ``w`` the decades that are nearly linear, ``a`` additional negative
decades. FlowJo's own two scales are brought onto 0 to 1 as well.

Three promises hold for every scale. ``apply`` works element by element, so the bits do not depend on which
other events are in the batch. What is not finite stays what it is, and what a scale cannot show (the
logarithm of a negative number) becomes NaN: such events are in no gate. A scale never decreases, up to the
last bit or two (flowutils' compiled logicle is not monotone there; whoever pulls an edge back must allow for
it). Exponentials and logarithms are those of the platform's library, so that two machines may differ in the
last bit of a display value.
"""

from cytorecon.transforms.flowjo import Biex, FlowJoLog
from cytorecon.transforms.gatingml import Asinh, Hyperlog, Linear, Log, Logicle
from cytorecon.transforms.mapping import TRANSFORMS, Bounded, to_mapping, transform_from
from cytorecon.transforms.scale import Transform

__all__ = [
    "TRANSFORMS",
    "Asinh",
    "Biex",
    "Bounded",
    "FlowJoLog",
    "Hyperlog",
    "Linear",
    "Log",
    "Logicle",
    "Transform",
    "to_mapping",
    "transform_from",
]
