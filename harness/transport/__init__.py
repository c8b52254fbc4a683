"""LiveKit's signalling and media at the socket, for many rooms in one process; knows nothing of calls.

From the outside in: `room` is a joined room, made of `signalling` (one WebSocket) and two `peer`s (ICE, DTLS, SCTP by
aiortc and aioice, described to each other by `sdp`), whose packets go through sockets of our own (`udp`) at the times
that one `pacer` gives. `rtp`, `opus` and `reception` are what is in those packets.
"""
