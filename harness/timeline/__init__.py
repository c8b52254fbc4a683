"""What happened in a call: typed events on one monotonic clock, written as they happen and read back as they were."""
