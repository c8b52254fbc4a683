"""Sound files, read as far as possible even if damaged, and PCM conversion."""
