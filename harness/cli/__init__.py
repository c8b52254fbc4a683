"""The commands. Each parses options, calls other packages, prints and exits; heavy imports happen when it runs."""
