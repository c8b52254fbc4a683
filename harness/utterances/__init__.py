"""What a caller says: WAVs and texts, found, made and checked."""
