"""Reference audio: fetched safely, measured, turned into the voice that speaks like it. Start at `references.py`."""
