"""The reference agents: they join rooms, greet, hear, answer and speak, all in one process of their own.

`process` takes orders from a pipe, `agent` is one agent in one room, `line` its connection, `mouth` and `ear` its
media, `thought` what it makes of what it hears.
"""
