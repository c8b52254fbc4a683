"""What a caller does in a call: the scenario's model, its loader, its errors with file and line."""
