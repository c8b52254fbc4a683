"""The timeline of a call: typed events on one monotonic clock, written as they happen and read back unchanged."""
