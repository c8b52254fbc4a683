"""Where a run's live metrics and traces go: what the options and the environment say, before anything is started."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from harness.errors import UsageError
from harness.installed_from import with_extra
from harness.secret import Secret

PROMETHEUS = "--prometheus"
OTLP = "--otlp"
FROM_ENVIRONMENT = "env"
TRACES_PATH = "/v1/traces"
_EXPORTER = "opentelemetry.exporter.otlp.proto.http"
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_HEADERS = "_HEADERS"
_TO_HEADERS = "put a key into the variable OTEL_EXPORTER_OTLP_HEADERS"


@dataclass(frozen=True)
class Otlp:
    """Where traces are sent.

    Attributes:
        url: The complete URL that spans are posted to.
        settings: The variables `OTEL_…` of the environment, of which some hold keys.
    """

    url: str
    settings: Mapping[str, Secret] = field(default_factory=dict)

    def keys(self) -> list[Secret]:
        """What must never be shown: the variables of headers, and the value of each header as it is sent."""
        texts = [secret.reveal() for name, secret in self.settings.items() if name.endswith(_HEADERS)]
        sent = [value for text in texts for _, value in _headers(text)]
        # Servers name the key alone, without `Bearer`.
        found = {*texts, *sent, *(value.rpartition(" ")[2] for value in sent)}
        return [Secret(text) for text in sorted(found, key=len, reverse=True)]


@dataclass(frozen=True)
class Telemetry:
    """What a run exports while it goes on; at least one of the two.

    Attributes:
        prometheus_port: The port of 127.0.0.1 to serve metrics on; 0 for a free one.
        otlp: Where to send traces.
    """

    prometheus_port: int | None = None
    otlp: Otlp | None = None

    def order(self) -> dict[str, Any]:
        """Returns the first line for the exporting process. It contains keys."""
        otlp = self.otlp
        sent = None if otlp is None else {"url": otlp.url, "settings": _revealed(otlp.settings)}
        return {"prometheus": self.prometheus_port, "otlp": sent}


def read_telemetry(prometheus: int | None, otlp: str | None, environment: MutableMapping[str, str]) -> Telemetry | None:
    """Reads --prometheus and --otlp; None if both were left out.

    With --otlp, the variables `OTEL_…` are read as well, and removed from the environment if they hold headers, which
    often are keys. So this comes before the target is read, which removes keys from the environment.

    Args:
        prometheus: A port, or 0.
        otlp: A URL, or `env` for that of the environment.
        environment: The environment.

    Raises:
        UsageError: A value is not possible, or the extra `otel` is not installed.
    """
    if prometheus is not None and not 0 <= prometheus <= 65535:
        raise UsageError(f"{PROMETHEUS} must be a port, 0 to 65535 (got {prometheus})")
    if prometheus is None and otlp is None:
        return None
    return Telemetry(prometheus, None if otlp is None else _read_otlp(otlp, environment))


def _read_otlp(text: str, environment: MutableMapping[str, str]) -> Otlp:
    url = _from_environment(environment) if text == FROM_ENVIRONMENT else _complete(text)
    _check(url)
    if not _is_installed():
        raise UsageError("OpenTelemetry is not installed", where=OTLP, hint=with_extra("otel"))
    settings = {name: Secret(value) for name, value in environment.items() if name.startswith("OTEL_")}
    for name in [name for name in settings if name.endswith(_HEADERS)]:
        _check_headers(name, environment.pop(name))
    return Otlp(url, settings)


def _from_environment(environment: Mapping[str, str]) -> str:
    if url := environment.get(_TRACES_ENDPOINT, ""):  # complete, by the specification
        return url
    if url := environment.get(_ENDPOINT, ""):
        return _complete(url)
    raise UsageError(f"{_ENDPOINT} is not set", where=f"{OTLP} {FROM_ENVIRONMENT}", hint=f"set it, or use {OTLP} URL")


def _complete(url: str) -> str:
    return url if url.rstrip("/").endswith(TRACES_PATH) else url.rstrip("/") + TRACES_PATH


def _check(url: str) -> None:
    hint = "such as http://127.0.0.1:4318, a collector's OTLP port for HTTP"
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number
        raise UsageError("this is no URL", where=OTLP, hint=hint) from None
    if parts.username is not None or parts.password is not None:
        raise UsageError("the URL must not contain a user or a password", where=OTLP, hint=_TO_HEADERS)
    if "?" in url or "#" in url:  # a key may be in there, and the URL is printed and stored
        raise UsageError("the URL must not have a query (?…) or a fragment (#…)", where=OTLP, hint=_TO_HEADERS)
    if not is_url:
        raise UsageError("this is no URL of http or https", where=OTLP, hint=hint)


def _headers(text: str) -> list[tuple[str, str]]:
    """The names and values of headers as a variable has them: `name=value,name=value`, in URL encoding."""
    pairs = (header.partition("=") for header in text.split(",") if header.strip())
    return [(unquote(name).strip(), unquote(value).strip()) for name, _, value in pairs]


def _check_headers(variable: str, text: str) -> None:
    """Checks what OpenTelemetry would leave out, or HTTP refuse, once the calls are made."""
    for name, value in _headers(text):
        if not all(part and part.isascii() and part.isprintable() for part in (name, value)):
            what = f"the environment variable {variable} is not valid: its headers cannot be sent"
            raise UsageError(what, where=OTLP, hint="write name=value, with a comma between headers")


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec(_EXPORTER) is not None
    except ModuleNotFoundError:
        return False


def _revealed(settings: Mapping[str, Secret]) -> dict[str, str]:
    return {name: secret.reveal() for name, secret in settings.items()}
