"""The reference agents: they join rooms, greet, listen, answer and speak, all in one process of their own.

`process` reads orders from a pipe, `agent` is one agent in one room, `line` its connection, `mouth` and `ear` its audio
output and input, and `thought` turns what it hears into a reply.
"""
