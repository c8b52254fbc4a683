"""The HTTP proxy for a connection: one rule for the session client, engine `light` and engine `sdk`.

`HTTPS_PROXY` for `https` and `wss`, `HTTP_PROXY` for `http` and `ws`, `ALL_PROXY` if that one is not set; for each,
lower case takes precedence. Hosts in `NO_PROXY`, and always this machine, are connected to directly. See
`docs/targets.md`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from harness.errors import ConfigError, JoinFailure
from harness.secret import Secret

_VARIABLES = {"http": "HTTP_PROXY", "ws": "HTTP_PROXY", "https": "HTTPS_PROXY", "wss": "HTTPS_PROXY"}
_EVERY = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy.

    Attributes:
        variable: The variable that named it.
        host: Its name or address.
        port: Its port.
        user: The user name for it, if any.
        password: The password for it, if any.
    """

    variable: str
    host: str
    port: int
    user: str = field(default="", repr=False)
    password: Secret | None = None

    def __str__(self) -> str:
        return f"the proxy {self.address} ({self.variable})"

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Its URL, without user and password."""
        return f"http://{self.address}"

    def authorization(self) -> str | None:
        """The value of the header `Proxy-Authorization` if there is a user; contains the password."""
        import base64

        if not self.user and self.password is None:
            return None
        password = self.password.reveal() if self.password is not None else ""
        return "Basic " + base64.b64encode(f"{self.user}:{password}".encode()).decode()


def proxy_for(url: str, env: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy for a connection to this URL; None to connect directly.

    Args:
        url: `http`, `https`, `ws` or `wss`; other schemes use no proxy.
        env: The environment to read; defaults to the one that this process was started with.

    Raises:
        ConfigError: The relevant variable names an unsupported proxy.
    """
    env = given_environment() if env is None else env
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # whoever connects reports what is wrong with it
        return None
    if not host or parts.scheme not in _VARIABLES:
        return None
    variable, value = _value(env, (_VARIABLES[parts.scheme], "ALL_PROXY"))
    if not value or _is_here(host):
        return None
    if _is_named(host, port or _DEFAULT_PORTS[parts.scheme], _value(env, ("NO_PROXY",))[1]):
        return None
    return _read(variable, value)


def room_proxy_for(url: str) -> Proxy | None:
    """As `proxy_for`, for a LiveKit server, whose URL becomes known only in the call.

    Raises:
        JoinFailure: room.unreachable; the relevant variable names an unsupported proxy.
    """
    try:
        return proxy_for(url)
    except ConfigError as problem:
        raise JoinFailure("room.unreachable", f"{problem.where}: {problem.what}", hint=problem.hint) from None


def without_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for child processes that only talk to this machine."""
    return {name: value for name, value in environment.items() if name.upper() not in _EVERY}


def _value(env: Mapping[str, str], names: Iterable[str]) -> tuple[str, str]:
    for name in names:
        for either in (name.lower(), name):
            if value := env.get(either, "").strip():
                return either, value
    return "", ""


def _read(variable: str, value: str) -> Proxy:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise ConfigError("this is not the URL of a proxy", where=variable, hint="write it as http://host:port")
    if parts.scheme != "http":
        raise ConfigError(
            f"proxies with the scheme {parts.scheme}:// are not supported",
            where=variable,
            hint="use an http:// proxy (it carries https and wss as well), or unset the variable",
        )
    password = Secret(unquote(parts.password)) if parts.password is not None else None
    return Proxy(variable, host, port or 80, unquote(parts.username or ""), password)


def _ip(host: str) -> _IpAddress | None:
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_here(host: str) -> bool:
    """Whether the host is one of this machine's loopback addresses."""
    address = _ip(host)
    if address is not None:
        return address.is_loopback or address.is_unspecified
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def _is_named(host: str, port: int, no_proxy: str) -> bool:
    """Whether `NO_PROXY` matches: `*`, hosts with their subdomains, addresses or networks, with or without a port."""
    address, name = _ip(host), host.lower().rstrip(".")
    for entry in re.split(r"[\s,]+", no_proxy.lower()):
        if entry == "*":
            return True
        if address is not None and _holds(entry, address):
            return True
        bare, colon, ending = entry.rpartition(":")
        if colon and ending.isdecimal() and (":" not in bare or bare.endswith("]")):
            if int(ending) != port:
                continue
            entry = bare  # noqa: PLW2901 - without its port
            if address is not None and _holds(entry, address):
                return True
        entry = entry.removeprefix("*").strip(".")  # noqa: PLW2901 - `.example.com` and `*.example.com` are example.com
        if entry and address is None and (name == entry or name.endswith("." + entry)):
            return True
    return False


def _holds(entry: str, address: _IpAddress) -> bool:
    """Whether an address or network (`10.0.0.0/8`) in `NO_PROXY` equals or contains this address."""
    try:
        return address in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False


# -- LiveKit's SDK -----------------------------------------------------------------------------------------------------

# The proxy variables that the process was started with, once they were changed for the SDK.
_given: dict[str, str] | None = None


def given_environment() -> dict[str, str]:
    """The environment that this process was started with: for code that reads proxies, and for child processes."""
    if _given is None:
        return dict(os.environ)
    return without_proxies(os.environ) | _given


class SdkProxies:
    """Makes LiveKit's SDK follow our rule.

    On each connection it reads the process's `HTTPS_PROXY` or `HTTP_PROXY`, and it ignores `NO_PROXY`. So the process's
    variables are set to what our rule says for the server, and stay that way, since the SDK reconnects by itself when a
    connection is lost. Joins that need other values wait for those in progress. If no proxy is configured, nothing is
    changed.
    """

    def __init__(self) -> None:
        self._joining = 0
        self._free = asyncio.Condition()
        self._decided: Proxy | None = None

    @asynccontextmanager
    async def towards(self, url: str) -> AsyncIterator[None]:
        """Context manager for joining a room at this URL.

        Raises:
            JoinFailure: See `room_proxy_for`.
        """
        proxy = room_proxy_for(url)
        async with self._free:
            await self._free.wait_for(lambda: not self._joining or proxy == self._decided)
            self._decided = proxy
            self._joining += 1
            _set_for_sdk(os.environ, proxy)
        try:
            yield
        finally:
            async with self._free:
                self._joining -= 1
                self._free.notify_all()


def _set_for_sdk(environment: MutableMapping[str, str], proxy: Proxy | None) -> None:
    global _given  # noqa: PLW0603 - the environment is global to the process, too
    ours = {name: value for name, value in environment.items() if name.upper() in _EVERY}
    wanted = {name: _with_user(proxy) for name in ("HTTP_PROXY", "HTTPS_PROXY")} if proxy is not None else {}
    if ours == wanted:
        return
    if _given is None:
        _given = ours
    for name in ours:
        if name not in wanted:
            del environment[name]
    environment.update(wanted)


def _with_user(proxy: Proxy) -> str:
    from urllib.parse import quote

    if proxy.authorization() is None:
        return proxy.url
    # The SDK authenticates to a proxy only if there is a password, even an empty one.
    password = proxy.password.reveal() if proxy.password is not None else ""
    return f"http://{quote(proxy.user, safe='')}:{quote(password, safe='')}@{proxy.address}"
