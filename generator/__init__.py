"""Read a typed value, or an honest absence, in the documents of one patient."""
