"""Find the passages of one patient that answer a question."""
