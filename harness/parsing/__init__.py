"""Parses user input: YAML and TOML with line numbers, durations, and validation errors in plain words."""
