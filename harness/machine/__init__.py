"""The machine and our own process: CPU, memory, open files, and why an event loop was late."""
