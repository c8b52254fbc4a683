"""Ways to get a session: the session API, the user's own backend route, the embedded stack."""
