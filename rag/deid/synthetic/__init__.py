"""Fictitious French hospital documents with their identifying spans, to train a tagger on. Seeded, deterministic."""
