"""What a caller says: WAVs and texts, found, created and checked."""
