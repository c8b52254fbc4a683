"""Child processes: started, read, watched, and ended with us."""
