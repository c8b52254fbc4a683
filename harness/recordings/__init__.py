"""Measures recordings: a run's own again, and those made by other software."""
