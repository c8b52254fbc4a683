"""Reference audio: fetched safely, measured, and turned into the voice that speaks like it. Start at `session.py`."""
