"""Joins of both engines through a proxy, and past it."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from livekit import rtc

from harness.clock import SystemClock
from harness.errors import RoomFailure
from harness.process.ports import free_tcp_port
from harness.proxies import SdkProxies
from harness.stack.tokens import LiveKitKeys, caller_token
from harness.transport import tunnel
from harness.transport.hub import TransportHub
from harness.transport.room import Room
from tests.proxies.proxy import NAMES, proxying
from tests.transport.relay import relaying
from tests.transport.rooms import WITHIN_S, Seen, serving

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]
HOST = "livekit.example"


async def join_light(url: str, keys: LiveKitKeys, room: str) -> None:
    hub = TransportHub(SystemClock())
    joined = await Room.connect(hub, url, caller_token(keys, room, "light"), Seen(), timeout_s=WITHIN_S)
    await joined.close()


async def join_sdk(url: str, keys: LiveKitKeys, room: str) -> None:
    joined = rtc.Room()
    async with SdkProxies().towards(url):
        await joined.connect(url, caller_token(keys, room, "sdk").reveal())
    await joined.disconnect()


@pytest.mark.parametrize("join", [join_light, join_sdk])
async def test_a_server_on_this_machine_is_reached_straight(livekit_keys: LiveKitKeys, join) -> None:  # type: ignore[no-untyped-def]
    async with serving(livekit_keys) as server, proxying() as proxy:
        os.environ.update(dict.fromkeys(NAMES[:6], proxy.url))
        await join(livekit_keys.url, livekit_keys, await server.room("straight"))
    assert proxy.asked == []


@pytest.mark.parametrize("join", [join_light, join_sdk])
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_a_server_elsewhere_is_reached_by_connect(livekit_keys: LiveKitKeys, join, variable: str) -> None:  # type: ignore[no-untyped-def]
    url = livekit_keys.url.replace("127.0.0.1", HOST)
    async with serving(livekit_keys) as server, proxying() as proxy:
        os.environ[variable] = proxy.url.replace("//", "//me:sesame@")
        await join(url, livekit_keys, await server.room("by-proxy"))
    assert proxy.asked == [f"CONNECT {HOST}:{livekit_keys.url.rsplit(':', 1)[1]}"]
    assert proxy.authorizations == ["Basic bWU6c2VzYW1l"]


@pytest.mark.parametrize("join", [join_light, join_sdk])
async def test_a_server_that_no_proxy_names_is_not_asked_for(livekit_keys: LiveKitKeys, join) -> None:  # type: ignore[no-untyped-def]
    async with proxying() as proxy:
        os.environ.update({"HTTP_PROXY": proxy.url, "NO_PROXY": f"other.example, {HOST}"})
        with pytest.raises((RoomFailure, rtc.ConnectError)):
            await join(livekit_keys.url.replace("127.0.0.1", HOST), livekit_keys, "nowhere")
    assert proxy.asked == []


async def test_light_names_a_proxy_that_lets_nobody_through(livekit_keys: LiveKitKeys) -> None:
    async with proxying() as proxy:
        proxy.refuses = "407 Proxy Authentication Required"
        os.environ["HTTPS_PROXY"] = proxy.url
        with pytest.raises(RoomFailure) as failure:
            await join_light(f"wss://{HOST}", livekit_keys, "nowhere")
    assert proxy.asked == [f"CONNECT {HOST}:443"]
    assert failure.value.kind == "room.unreachable"
    assert f"the proxy {proxy.address} (HTTPS_PROXY) refused the connection to {HOST}:443: HTTP/1.1 407" in str(
        failure.value
    )
    assert "NO_PROXY" in (failure.value.hint or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-proxy.invalid"])
async def test_light_names_a_proxy_that_is_not_there(livekit_keys: LiveKitKeys, host: str) -> None:
    os.environ["http_proxy"] = f"{host}:{free_tcp_port()}"
    with pytest.raises(RoomFailure, match=r"the proxy .*\(http_proxy\)") as failure:
        await join_light(f"ws://{HOST}", livekit_keys, "nowhere")
    assert failure.value.kind == "room.unreachable"


async def test_light_speaks_tls_with_the_server_through_the_proxy(
    livekit_keys: LiveKitKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tunnel._context.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with serving(livekit_keys) as server, secured(livekit_keys.url, context) as port, proxying() as proxy:
        os.environ["HTTPS_PROXY"] = proxy.url
        room = await server.room("secured")
        await join_light(f"wss://{HOST}:{port}", livekit_keys, room)
        with pytest.raises(RoomFailure, match="certificate"):
            await join_light(f"wss://another.example:{port}", livekit_keys, room)
    assert proxy.asked == [f"CONNECT {HOST}:{port}", f"CONNECT another.example:{port}"]
    tunnel._context.cache_clear()


@asynccontextmanager
async def secured(url: str, context: ssl.SSLContext) -> AsyncIterator[int]:
    """A front that takes TLS off; its port."""
    async with relaying(url) as relay:

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await relay.carry(reader, writer)

        server = await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


def self_signed(folder: Path, host: str) -> Path:
    """A certificate of this host, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path
