"""Immune reconstitution."""
