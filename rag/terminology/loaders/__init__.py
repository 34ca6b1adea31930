"""Readers of published vocabularies and of tables: each is a `Source` of `Entry`, one row at a time."""
