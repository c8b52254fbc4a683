"""The metrics: what each is, its samples, limits on them, and their statistics."""
