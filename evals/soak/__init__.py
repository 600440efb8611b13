"""Is an index right and quick for its readers while it is written to: see `python -m evals.soak --help`."""
