"""What people write for us, read: YAML and TOML with places, durations, and errors in plain words."""
