"""A patient's LAIP file, as the tests write it."""

LAIP = """
patient = "P07"
template = "mrd_aml"
coverage = 0.85

[diagnosis]
file = "P07_diagnosis.fcs"
date = 2025-06-02
blast_percent = 62.0

[controls]
lob = 0.00001
samples = "12 marrows"

[[laip]]
slot = "LAIP_2"
phenotype = "CD33+ CD56+"
comment = "gained CD56"
"""
