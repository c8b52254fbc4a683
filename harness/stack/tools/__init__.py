"""Tools of an agent's MCP servers: which one answers the caller, with which arguments, and the call itself.

`declared` is what the agents file says; `session` combines the rest for one session: `servers` lists and calls,
`choose` and `fill` decide from what was said. Nothing here names a tool.
"""
