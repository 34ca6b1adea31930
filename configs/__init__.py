"""Studies that the project ships: dictionaries, study files and sample cohorts."""
