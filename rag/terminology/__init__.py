"""Normalization: mentions of concepts, linked to the codes of a terminology."""
