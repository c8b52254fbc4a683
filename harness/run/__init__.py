"""A run: when calls start, who makes them, and how it ends."""
