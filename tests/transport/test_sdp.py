from __future__ import annotations

import pytest

from harness.transport import sdp

OURS = sdp.Transport("user", "secret", [("sha-256", "AA:BB")], ["1 1 udp 5 127.0.0.1 4000 typ host"], setup="active")
TRANSPORT = """a=ice-ufrag:them
a=ice-pwd:theirs
a=fingerprint:sha-256 CC:DD
a=setup:actpass
"""
DATA = f"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 0.0.0.0\na=mid:0\na=sctp-port:5001\n{TRANSPORT}"
AUDIO = f"""m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0
c=IN IP4 0.0.0.0
a=mid:1
a=rtpmap:111 opus/48000/2
a=rtpmap:63 red/48000/2
a=rtpmap:0 PCMU/8000
a=ssrc:77 cname:x
a=ssrc:77 msid:PA_1|TR_1 TR_1
a=msid:PA_1|TR_1 TR_1
a=sendrecv
{TRANSPORT}"""
VIDEO = f"m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:2\na=rtpmap:96 VP8/90000\na=sendonly\n{TRANSPORT}"
ONLY_PCMU = f"m=audio 9 UDP/TLS/RTP/SAVPF 0\na=mid:3\na=rtpmap:0 PCMU/8000\na=sendonly\n{TRANSPORT}"


def offered(*media: str) -> sdp.Description:
    return sdp.parse("v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE 0 1\n" + "".join(media))


def lines_of(answer: str, mid: str) -> list[str]:
    sections = answer.split("m=")[1:]
    return next(section.splitlines() for section in sections if f"a=mid:{mid}" in section.splitlines())


def test_an_offer_is_read() -> None:
    description = offered(DATA, AUDIO)
    assert (description.transport.ufrag, description.transport.password) == ("them", "theirs")
    assert description.transport.fingerprints == [("sha-256", "CC:DD")]
    assert description.sctp_port == 5001
    audio = description.media[1]
    assert (audio.codecs["opus/48000"], audio.ssrcs, audio.track, audio.sends) == (111, [77], "TR_1", True)


def test_opus_and_data_are_taken_and_everything_else_declined() -> None:
    answer = sdp.answer(offered(DATA, AUDIO, VIDEO, ONLY_PCMU), OURS)
    assert "a=group:BUNDLE 0 1\r\n" in answer
    assert [section.split(maxsplit=2)[:2] for section in answer.split("m=")[1:]] == [
        ["application", "9"],
        ["audio", "9"],
        ["video", "0"],
        ["audio", "0"],
    ]
    audio = lines_of(answer, "1")
    assert audio[0].endswith("SAVPF 111")  # no RED: the server then sends plain Opus
    assert "a=recvonly" in audio
    assert "a=setup:active" in audio


def test_a_track_that_is_gone_is_answered_in_its_place() -> None:
    answer = sdp.answer(offered(DATA, AUDIO.replace("sendrecv", "inactive")), OURS)
    assert "a=inactive" in lines_of(answer, "1")


def test_our_offer_reads_as_it_was_meant() -> None:
    description = sdp.parse(sdp.offer(OURS, track="the-track", ssrc=99))
    audio, data = description.media
    assert (audio.track, audio.ssrcs, audio.direction) == ("the-track", [99], "sendonly")
    assert data.kind == "application"
    assert description.transport.candidates == [*OURS.candidates, *OURS.candidates]


@pytest.mark.parametrize("text", ["", "v=0\n", "m=\na=ice-ufrag:x", DATA.replace("a=fingerprint", "a=x"), "\0\xff=="])
def test_what_cannot_be_followed_is_an_error(text: str) -> None:
    with pytest.raises(sdp.SdpError):
        sdp.parse(text)
