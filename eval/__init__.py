"""Measure a filled table against a manual one. Never imports the system that it scores."""
