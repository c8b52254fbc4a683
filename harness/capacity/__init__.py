"""Searches for the number of concurrent calls that an agent can handle: search, statistics, and the calls."""
