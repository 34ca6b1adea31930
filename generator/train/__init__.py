"""Tuning of the language model: adapters taught by a table."""
