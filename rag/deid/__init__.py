"""De-identification: the border of the corpus. Nothing that names a person crosses it."""
