"""The embedded stack: a LiveKit server, the session service of the contract and the reference agents, on 127.0.0.1.

embedded.py         the user's side: starts the host, holds its address, stops it
foreground.py       `voice-harness stack up`
host.py             the child process that runs the rest, and ends with its starter (host_messages.py: its pipe)
livekit_server.py   finds, configures and starts the LiveKit server on loopback (build_server.py: builds it once)
service/            section 2 of the contract over HTTP (faults.py: deliberate failures)
relay.py, cuts.py   a proxy in front of the callers' signalling, and the cuts that the agents order
tokens.py           LiveKit access tokens
backend.py          the backend route of section 3, a file for users to copy
page/               the pages in a browser (built by harness/build_pages.py; page_server.py serves them and the route)
agents/, speech/    the reference agents, and their recogniser, voices and answers
"""
