"""What a caller does in a call: the scenario's model and its loader, whose errors name file and line."""
