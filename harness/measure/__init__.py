"""Measurements from recorded timelines and audio: pure functions, no I/O."""
