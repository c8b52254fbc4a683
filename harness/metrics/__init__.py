"""Metrics: their definitions, samples, limits and statistics."""
