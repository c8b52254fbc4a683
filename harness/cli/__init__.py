"""The commands: thin. Each parses, calls, prints and exits; what is heavy is imported when it runs."""
