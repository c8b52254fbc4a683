"""LiveKit's signalling and media at the socket, for many rooms in one process; knows nothing of calls.

From the outside in: `room` is a joined room, made up of `signalling` (one WebSocket) and two `peer`s (ICE, DTLS, SCTP
by aiortc and aioice, negotiated with `sdp`), whose packets go through sockets of our own (`udp`) at the times set by
one `pacer`. `rtp`, `opus` and `reception` handle the contents of those packets.
"""
