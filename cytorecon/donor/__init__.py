"""KIR ligands from HLA typing, and their mismatch between donor and recipient: a tie-break between suitable donors.

The model is ligand-ligand incompatibility (Ruggeri 2002, doi 10.1126/science.1068440; Heidenreich 2017, doi
10.3389/fimmu.2017.00041). Research use only.
"""

from __future__ import annotations

from cytorecon.donor.ligand import (
    Allele,
    Ligand,
    LigandOptions,
    kir_ligand,
    ligand_of_residues,
    parse_allele,
    read_ligand_table,
)
from cytorecon.donor.mismatch import (
    DonorFile,
    KirMismatch,
    Ligands,
    Typing,
    kir_ligands,
    kir_mismatch,
    read_donors,
)

__all__ = [
    "Allele",
    "DonorFile",
    "KirMismatch",
    "Ligand",
    "LigandOptions",
    "Ligands",
    "Typing",
    "kir_ligand",
    "kir_ligands",
    "kir_mismatch",
    "ligand_of_residues",
    "parse_allele",
    "read_donors",
    "read_ligand_table",
]
