"""Fictitious French stroke patients: documents, table and evidence, to train, test and show with. Seeded."""
