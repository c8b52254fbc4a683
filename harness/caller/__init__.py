"""One call of a run, made ready, recorded, measured and judged."""
