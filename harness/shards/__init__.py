"""Processes that make calls, and the pool that shares calls among them."""
