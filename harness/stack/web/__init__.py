"""The stack's own page: agents, live calls with their conversations, listening in, and the timelines of runs."""
