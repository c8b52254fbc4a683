"""Measures the harness's own error: against an agent with known delays, and on speech at known positions."""
