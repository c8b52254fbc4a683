"""Processes that make calls, and the pool that distributes calls among them."""
