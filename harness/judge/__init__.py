"""Turns numbers into a verdict: expectations, thresholds, exit codes. Pure functions, no I/O."""
