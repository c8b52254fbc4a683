"""One call of a run: prepared, recorded, measured and judged."""
