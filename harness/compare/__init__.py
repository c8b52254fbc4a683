"""Two sets of calls compared: which differences are real, and which are large enough to matter. Pure functions."""
