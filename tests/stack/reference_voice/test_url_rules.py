from __future__ import annotations

import pytest

from harness.errors import ConfigError
from harness.stack.reference_voice.refused import RefusedError
from harness.stack.reference_voice.url_rules import PrivateHosts, check_url, is_public

LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "0",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "a.localhost",
    "\uff11\uff12\uff17.0.0.1",  # fullwidth digits
    "127\u30020\u30020\u30021",  # ideographic full stops
]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "[fe80::1]",
    "[fc00::1]",
    "[fd12::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[2001:0:53aa:64c::1]",
    "[::ffff:8.8.8.8]",
]


@pytest.mark.parametrize("host", LOOPBACK + PRIVATE)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_no_private_address_in_any_form(host: str, scheme: str) -> None:
    with pytest.raises(RefusedError, match=r"private address|valid host"):
        check_url(f"{scheme}://{host}/voice.wav")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "https URL"),
        ("x", "https URL"),
        ("voice.wav", "https URL"),
        ("/etc/passwd", "https URL"),
        ("file:///etc/passwd", "not file:"),
        ("FILE:///etc/passwd", "not file:"),
        ("ftp://voices.example/a.wav", "not ftp:"),
        ("gopher://voices.example/a.wav", "not gopher:"),
        ("data:audio/wav;base64,AAAA", "not data:"),
        ("http://voices.example/a.wav", "plain http"),
        ("https://", "valid host"),
        ("https:///a.wav", "valid host"),
        ("https://..../a.wav", "valid host"),
        ("https://[fe80::1%25eth0]/a.wav", "valid"),
        ("https://[::1/a.wav", "not a valid URL"),
        ("https://voices.example:0/a.wav", "valid port"),
        ("https://voices.example:99999/a.wav", "valid port"),
        ("https://voices.example:x/a.wav", "valid port"),
        ("https://me:secret@voices.example/a.wav", "user name"),
        ("https://sk_key@voices.example/a.wav", "user name"),
        ("https://@voices.example/a.wav", "user name"),
        ("https://voices.example\\@127.0.0.1/a.wav", "backslashes"),
        ("https://voices.example/a b.wav", "spaces"),
        ("https://voices.example/a\r\nX: y", "control characters"),
        ("https://voices.example/\x00", "control characters"),
        ("https://voices.example/" + "a" * 10_000_000, "longer than"),
    ],
)
def test_other_urls_that_are_refused_and_no_secret_is_told(url: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told) as caught:
        check_url(url)
    assert "secret" not in str(caught.value)
    assert "sk_key" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://voices.example/a.wav?X-Signature=1", "voices.example", 443),
        ("https://VOICES.example.:8443/", "voices.example", 8443),
        ("HTTPS://bücher.example/a.wav", "xn--bcher-kva.example", 443),
        ("https://8.8.8.8/a.wav", "8.8.8.8", 443),
        ("https://134744072/a.wav", "8.8.8.8", 443),
        ("https://[2606:4700::1111]/a.wav", "2606:4700::1111", 443),
    ],
)
def test_public_https_urls_may_be_fetched(url: str, host: str, port: int) -> None:
    target = check_url(url)
    assert (target.host, target.port, target.allowed_private) == (host, port, False)


@pytest.mark.parametrize(
    ("allowed", "url", "is_allowed"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/a.wav", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8000/a.wav", True),
        ("127.0.0.1:8000", "http://0x7f.1:8000/a.wav", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8001/a.wav", False),
        ("127.0.0.1:8000", "http://127.0.0.2:8000/a.wav", False),
        ("127.0.0.1", "http://localhost/a.wav", False),
        ("LOCALHOST.", "http://localhost/a.wav", True),
        ("[::1]:80", "http://[::1]/a.wav", True),
        ("files.internal, 10.0.0.5", "https://10.0.0.5/a.wav", True),
        ("files.internal", "http://files.internal/a.wav", True),
        ("files.internal", "http://x.files.internal/a.wav", False),
    ],
)
def test_the_owner_may_allow_private_hosts(allowed: str, url: str, is_allowed: bool) -> None:
    hosts = PrivateHosts.parse([allowed])
    if is_allowed:
        assert check_url(url, hosts).allowed_private
    else:
        with pytest.raises(RefusedError):
            check_url(url, hosts)


@pytest.mark.parametrize("text", ["http://127.0.0.1", "127.0.0.1/x", "host:x", "host:99999", "a@host", "[::1", ":80"])
def test_what_is_no_host_is_an_error_of_the_option(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a host") as caught:
        PrivateHosts.parse([f"127.0.0.1,{text}"])
    assert "HOST:PORT" in str(caught.value.hint)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["", "x", "fe80::1%eth0", "127.1", "198.18.0.1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_is_no_public_address(address: str) -> None:
    assert not is_public(address)
