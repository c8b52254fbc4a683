"""Files of sound, read as far as they go and written."""
