"""From documents and a dictionary to a cohort table: corpus, dictionary, store, pipeline and command line."""
