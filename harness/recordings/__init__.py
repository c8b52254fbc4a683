"""Recordings read back: a run's own, measured again, and those that something else made."""
