"""Policies of de-identification."""
