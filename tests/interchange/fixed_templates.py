"""Templates whose every edge is written down: all gates and scales that Gating-ML has words for."""

GATES = """
name = "every gate"
version = "1.2.0"
title = "Range, rectangle, polygon, ellipse, ellipsoid, quadrant, ratio"
compensation = "none"
[scales]
"FSC-A" = { type = "linear", t = 262144, a = 0 }
[[population]]
name = "Cells"
role = "leukocytes"
gate = { type = "polygon", channels = ["FSC-A", "SSC-A"], vertices = [[0.1, 20], [0.9, 20], [0.8, 250000.5]] }
[[population]]
name = "Singlets"
parent = "Cells"
gate = { type = "range", channels = [{ numerator = "FSC-A", denominator = "FSC-H", a = 2, b = 1, c = -3 }], max = 3 }
[[population]]
name = "Low, bright"
parent = "Cells/Singlets"
gate = { type = "rectangle", channels = ["SSC-A", "FSC-A"], min = [-inf, 0.25], max = [80000, inf] }
[[population]]
name = "Closed"
parent = "Cells"
gate = { type = "range", channels = ["SSC-A"], min = 5, max = 7, closed = true }
[[population]]
name = "Ellipse"
parent = "Cells"
gate = { type = "ellipse", channels = ["FSC-A", "SSC-A"], mean = [0.4, 2e4], covariance = [[0.02, 1], [1, 1e8]] }
[[population]]
name = "Ellipsoid"
gate = { type = "ellipse", channels = ["FSC-A", "FSC-H", "SSC-A"], mean = [0.4, 5, 6], covariance = [[2, 1, 0],
[1, 2, 0], [0, 0, 1]], distance_square = 3 }
[[population]]
parent = "Cells"
quadrant = { channels = ["FSC-A", "SSC-A"], dividers = [0.4, [50, 5000]], parts = { "12" = "Q1", "0*" = "Q2" } }
"""
SCALES = """
name = "every scale"
version = "3"
compensation = "lab"
[scales]
default = { type = "logicle", t = 262144, w = 0.5, m = 4.5, a = 0 }
CD3 = { type = "asinh", t = 262144, m = 4, a = 0.7 }
CD4 = { type = "hyperlog", t = 262144, w = 0.4, m = 4.2, a = 0.1 }
CD8 = { type = "log", t = 10000, m = 4 }
CD19 = { type = "linear", t = 1000, a = 10 }
CD45 = { type = "logicle", t = 1000, w = 0.5, m = 4.5, a = 0, bound_min = 0.1, bound_max = 0.9 }
[markers]
CD3 = ["CD3", "CD3 FITC"]
CD4 = ["CD4"]
[matrix.lab]
detectors = ["CD3", "CD4"]
values = [[1, 0.1], [0.02, 1]]
[cutpoint]
CD3 = { at = 0.45 }
CD4 = { at = 0.5 }
CD4_bright = { marker = "CD4", at = 0.7 }
CD8 = { at = 0.6 }
CD16 = { at = 0.3333333333333333 }
CD19 = { at = 0.1 }
CD45 = { at = 0.2 }
[[population]]
name = "T"
phenotype = "CD3+ CD45+"
cell_ontology = "CL:0000084"
[[population]]
name = "CD4 bright"
parent = "T"
phenotype = "CD4>CD4_bright CD8-"
[[population]]
name = "CD16+"
parent = "T"
phenotype = "CD16+"
optional = true
[[population]]
name = "other"
phenotype = "CD3- CD19-"
"""
BOOLEANS = """
name = "Booleans"
version = "1"
compensation = "file"
[scales]
default = { type = "logicle", t = 262144, w = 0.5, m = 4.5, a = 0 }
[cutpoint]
CD3 = { at = 0.45 }
CD56 = { at = 0.5 }
[[population]]
name = "Größe/µ"
gate = { type = "range", channels = [{ channel = "FSC-A", compensation = "none" }], min = 1000 }
[[population]]
name = "NK"
parent = "Größe%2Fµ"
boolean = { and = ["CD3-", { or = ["CD56+", { not = "Größe%2Fµ" }] }] }
[[population]]
name = "not NK"
parent = "Größe%2Fµ"
boolean = { not = "Größe%2Fµ/NK" }
[[population]]
name = "C"
parent = "Größe%2Fµ/not NK"
gate = { type = "range", max = 0.5, channels = [{ channel = "A", scale = { type = "asinh", t = 99, m = 4, a = 1 } }] }
"""
FIXED = {"gates": GATES, "scales": SCALES, "booleans": BOOLEANS}
