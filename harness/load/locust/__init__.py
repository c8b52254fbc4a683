"""Locust as the engine of a load: what runs inside of its processes."""
