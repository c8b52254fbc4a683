"""An upgrade of aiortc, aioice or pylibsrtp fails here first; `private_names` says what to do then."""

from __future__ import annotations

import importlib.metadata
import inspect
import re
from pathlib import Path

import pytest

from harness.transport import private_names
from harness.transport.private_names import KNOWN, TransportVersionError, check_versions

ROOT = Path(__file__).parents[2]


def test_the_versions_installed_are_the_ones_known() -> None:
    check_versions.cache_clear()
    check_versions()


def test_the_pins_are_the_ones_known() -> None:
    pins = dict(re.findall(r'"(aiortc|aioice|pylibsrtp)==([^"]+)"', (ROOT / "pyproject.toml").read_text()))
    assert pins == dict(KNOWN)


@pytest.mark.parametrize("name", list(KNOWN))
def test_another_version_is_refused_with_its_mend(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda asked: "99.0" if asked == name else real(asked))
    check_versions.cache_clear()
    with pytest.raises(TransportVersionError, match=f"pip install {name}=={KNOWN[name]}"):
        check_versions()
    check_versions.cache_clear()


def test_every_private_name_is_there() -> None:
    import aioice.ice
    import pylibsrtp
    from aiortc import RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
    from pylibsrtp._binding import ffi, lib

    source = inspect.getsource(aioice.ice.Connection)
    assert "self._protocols: list" in source
    assert "self._nominated: dict" in source
    for name in (
        "self._queue: asyncio.Queue",
        "self._event_waiter: asyncio.Future",
        "self._query_consent_task: asyncio.Task",
        "self._local_candidates: list",
        "self._local_candidates_start = False",
        "self._local_candidates_end = False",
    ):
        assert name in source
    assert inspect.iscoroutinefunction(aioice.ice.Connection.get_component_candidates)
    parameters = inspect.signature(aioice.ice.Connection.get_component_candidates).parameters
    assert list(parameters) == ["self", "component", "addresses", "timeout"]
    assert "self._connection = Connection(" in inspect.getsource(RTCIceGatherer)
    assert "self._connection = gatherer._connection" in inspect.getsource(RTCIceTransport)
    for name in ("self._recv = self._connection.recv", "self._send = self._connection.send"):
        assert name in inspect.getsource(RTCIceTransport)
    dtls = inspect.getsource(RTCDtlsTransport)
    for name in ("await self.transport._recv()", "await self.transport._send("):
        assert name in dtls
    for name in ("self._rx_srtp = Session(", "self._tx_srtp = Session(", "def _set_role(self, role: str)"):
        assert name in dtls
    session = pylibsrtp.Session(pylibsrtp.Policy(key=bytes(30), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND))
    assert ffi.typeof(session._srtp[0]).cname == "struct srtp_ctx_t_ *"
    assert lib.srtp_err_status_ok == 0
    for number in private_names._REPLAYED:
        assert "replay" in pylibsrtp.ERRORS[number]


def test_a_cipher_does_what_the_librarys_own_does() -> None:
    import pylibsrtp
    from pylibsrtp._binding import lib

    from harness.transport import rtp

    key = bytes(range(30))
    sender = pylibsrtp.Session(pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND))
    receiver = pylibsrtp.Session(pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND))
    reference = pylibsrtp.Session(pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND))
    protect = private_names.Cipher(sender, lib.srtp_protect, grows_by=144)
    unprotect = private_names.Cipher(receiver, lib.srtp_unprotect)
    packet = rtp.pack(111, 1, 2, 3, b"voice")
    encrypted = protect(packet)
    assert encrypted == reference.protect(packet)
    assert unprotect(encrypted) == packet
    with pytest.raises(private_names.CipherError) as again:
        unprotect(encrypted)
    assert again.value.replayed
    with pytest.raises(private_names.CipherError) as other:
        unprotect(rtp.pack(111, 2, 2, 3, bytes(30)))
    assert not other.value.replayed
    with pytest.raises(private_names.CipherError):
        protect(bytes(5000))
    with pytest.raises(private_names.CipherError):
        unprotect(b"")
