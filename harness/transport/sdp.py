"""The session descriptions exchanged with LiveKit's server (SDP, RFC 8866; JSEP, RFC 9429). Pure.

All media of a peer is bundled on one transport (RFC 8843). We offer one Opus track and data channels. From the server's
offers we accept Opus audio and data channels, and decline everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

OPUS = "opus/48000"
OPUS_PAYLOAD_TYPE = 111
SCTP_PORT = 5000
MAX_MESSAGE_BYTES = 65_536


class SdpError(ValueError):
    """A description that we cannot use."""


@dataclass(frozen=True, slots=True)
class Transport:
    """One side of the bundled transport.

    Attributes:
        ufrag: ICE user name fragment.
        password: ICE password.
        fingerprints: (algorithm, value) of the DTLS certificate.
        candidates: As in SDP, without the `candidate:`.
        setup: `actpass`, `active` or `passive` (RFC 4145).
        lite: Whether it is an ICE lite agent.
    """

    ufrag: str
    password: str
    fingerprints: Sequence[tuple[str, str]]
    candidates: Sequence[str] = ()
    setup: str = "actpass"
    lite: bool = False


@dataclass(slots=True)
class Media:
    """One m-line.

    Attributes:
        kind: `audio`, `video` or `application`.
        mid: Its identifier in the bundle.
        protocol: As in the m-line.
        formats: As in the m-line.
        direction: As seen by the side that described it.
        codecs: Payload types by codec, as `opus/48000`, in lower case.
        ssrcs: The SSRCs that it sends.
        track: The track's id, from the msid.
        rejected: Whether its port is 0.
    """

    kind: str
    mid: str = ""
    protocol: str = ""
    formats: list[str] = field(default_factory=list)
    direction: str = "sendrecv"
    codecs: dict[str, int] = field(default_factory=dict)
    ssrcs: list[int] = field(default_factory=list)
    track: str = ""
    rejected: bool = False

    @property
    def accepted(self) -> bool:
        """Whether we support it."""
        return not self.rejected and (self.kind == "application" or (self.kind == "audio" and OPUS in self.codecs))

    @property
    def sends(self) -> bool:
        """Whether the side that described it sends."""
        return self.direction in ("sendrecv", "sendonly") and not self.rejected


@dataclass(frozen=True, slots=True)
class Description:
    """A peer's session description."""

    transport: Transport
    media: Sequence[Media]
    sctp_port: int = SCTP_PORT
    max_message_bytes: int = MAX_MESSAGE_BYTES


def parse(text: str) -> Description:
    """Parses a description; unknown attributes are ignored.

    Raises:
        SdpError: It has no m-line, or no ICE user name or DTLS fingerprint.
    """
    media: list[Media] = []
    ufrag = password = setup = ""
    fingerprints: list[tuple[str, str]] = []
    candidates: list[str] = []
    lite = False
    sctp_port, max_message_bytes = SCTP_PORT, MAX_MESSAGE_BYTES
    for kind, value in _lines(text):
        if kind == "m":
            words = value.split()
            if len(words) < 3:
                raise SdpError(f"an m-line of {len(words)} words")
            media.append(Media(words[0], protocol=words[2], formats=words[3:], rejected=words[1] == "0"))
            continue
        if kind != "a":
            continue
        name, _, rest = value.partition(":")
        match name:
            case "ice-ufrag":
                ufrag = ufrag or rest
            case "ice-pwd":
                password = password or rest
            case "fingerprint":
                algorithm, _, digest = rest.partition(" ")
                if (algorithm, digest) not in fingerprints:
                    fingerprints.append((algorithm, digest))
            case "setup":
                setup = setup or rest
            case "candidate":
                candidates.append(rest)
            case "ice-lite":
                lite = True
            case "sctp-port":
                sctp_port = _number(rest, SCTP_PORT)
            case "max-message-size":
                max_message_bytes = _number(rest, MAX_MESSAGE_BYTES)
            case _ if media:
                _read_media(media[-1], name, rest)
            case _:
                pass
    if not media or not ufrag or not password or not fingerprints:
        raise SdpError("a description without media, ICE user or fingerprint")
    transport = Transport(ufrag, password, fingerprints, candidates, setup or "actpass", lite)
    return Description(transport, media, sctp_port, max_message_bytes)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        kind, equals, value = line.strip().partition("=")
        if equals:
            yield kind, value


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() else otherwise


def _read_media(media: Media, name: str, rest: str) -> None:
    match name:
        case "mid":
            media.mid = rest
        case "sendrecv" | "sendonly" | "recvonly" | "inactive":
            media.direction = name
        case "rtpmap":
            number, _, codec = rest.partition(" ")
            parts = codec.lower().split("/")
            if number.isdigit() and len(parts) > 1:
                media.codecs.setdefault("/".join(parts[:2]), int(number))
        case "ssrc":
            number = rest.partition(" ")[0]
            if number.isdigit() and int(number) not in media.ssrcs:
                media.ssrcs.append(int(number))
        case "msid":
            media.track = rest.rpartition(" ")[2]
        case _:
            pass


def offer(ours: Transport, *, track: str, ssrc: int) -> str:
    """Our offer to publish: one Opus track, and data channels.

    Args:
        ours: Our side of the transport.
        track: The track's id, the same as in the request to add it.
        ssrc: The track's SSRC.
    """
    audio = [
        "m=audio 9 UDP/TLS/RTP/SAVPF " + str(OPUS_PAYLOAD_TYPE),
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=sendonly",
        f"a=msid:{track} {track}",
        "a=rtcp-mux",
        f"a=rtpmap:{OPUS_PAYLOAD_TYPE} opus/48000/2",
        f"a=fmtp:{OPUS_PAYLOAD_TYPE} minptime=10;useinbandfec=1",
        f"a=ssrc:{ssrc} cname:{track}",
        *_transport_lines(ours),
    ]
    data = Media("application", mid="1", protocol="UDP/DTLS/SCTP", formats=["webrtc-datachannel"])
    return _text(["0", "1"], [*audio, *_data_lines(data, ours)])


def answer(to: Description, ours: Transport) -> str:
    """Our answer to an offer, m-line by m-line; `ours.setup` is our DTLS role."""
    lines: list[str] = []
    bundle: list[str] = []
    for media in to.media:
        if not media.accepted:
            formats = " ".join(media.formats)
            lines += [f"m={media.kind} 0 {media.protocol} {formats}", "c=IN IP4 0.0.0.0", f"a=mid:{media.mid}"]
            lines += ["a=inactive"]
            continue
        bundle.append(media.mid)
        if media.kind == "application":
            lines += _data_lines(media, ours)
            continue
        opus = media.codecs[OPUS]
        lines += [
            f"m=audio 9 {media.protocol} {opus}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{media.mid}",
            "a=recvonly" if media.sends else "a=inactive",
            "a=rtcp-mux",
            f"a=rtpmap:{opus} opus/48000/2",
            f"a=fmtp:{opus} minptime=10;useinbandfec=1",
            *_transport_lines(ours),
        ]
    return _text(bundle, lines)


def _data_lines(media: Media, ours: Transport) -> list[str]:
    return [
        f"m=application 9 {media.protocol} {' '.join(media.formats)}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{media.mid}",
        f"a=sctp-port:{SCTP_PORT}",
        f"a=max-message-size:{MAX_MESSAGE_BYTES}",
        *_transport_lines(ours),
    ]


def _transport_lines(ours: Transport) -> list[str]:
    return [
        f"a=ice-ufrag:{ours.ufrag}",
        f"a=ice-pwd:{ours.password}",
        *(f"a=fingerprint:{algorithm} {digest}" for algorithm, digest in ours.fingerprints),
        f"a=setup:{ours.setup}",
        *(f"a=candidate:{candidate}" for candidate in ours.candidates),
        "a=end-of-candidates",
    ]


def _text(bundle: Sequence[str], media: Sequence[str]) -> str:
    session = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    lines = [*session, f"a=group:BUNDLE {' '.join(bundle)}", "a=msid-semantic:WMS *", *media]
    return "".join(f"{line}\r\n" for line in lines)
