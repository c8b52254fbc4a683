"""Child processes: started, read, watched, and ended with their parent."""
