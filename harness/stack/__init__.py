"""The embedded stack: a LiveKit server, the session service of the contract and the reference agents, on 127.0.0.1.

embedded.py         its user's side: starts the host, has its address, ends it
foreground.py       `voice-harness stack up`
host.py             the child that holds the rest together; gone when its starter is (host_messages.py: its pipe)
livekit_server.py   finds the LiveKit server, sets it for loopback, starts it (build_server.py: builds it once)
guard.py            runs a foreign program that ends when its starter ends
child.py, said.py   a child process, and what it last said
session_service.py  the contract's section 2 over HTTP (session_faults.py: what goes wrong on purpose)
tokens.py           LiveKit access tokens
agents/, speech/    the reference agents, and their ears, voices and thoughts
"""
