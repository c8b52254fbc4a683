"""What --prometheus and --otlp mean, and what they refuse."""

from __future__ import annotations

import importlib.util

import pytest

from harness.errors import UsageError
from harness.telemetry.options import read_telemetry


@pytest.mark.parametrize(
    ("given", "complete"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
        ("https://example.com/otlp", "https://example.com/otlp/v1/traces"),
        ("https://example.com/otlp/v1/traces", "https://example.com/otlp/v1/traces"),
    ],
)
def test_the_path_of_traces_is_added_where_it_lacks(given: str, complete: str) -> None:
    telemetry = read_telemetry(None, given, {})
    assert telemetry is not None
    assert telemetry.otlp is not None
    assert telemetry.otlp.url == complete


def test_the_environment_names_the_collector() -> None:
    base = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318"}
    of_traces = base | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/complete"}
    for environment, url in ((base, "http://a:4318/v1/traces"), (of_traces, "http://b/complete")):
        telemetry = read_telemetry(None, "env", dict(environment))
        assert telemetry is not None
        assert telemetry.otlp is not None
        assert telemetry.otlp.url == url
    with pytest.raises(UsageError, match="OTEL_EXPORTER_OTLP_ENDPOINT is not set"):
        read_telemetry(None, "env", {})


@pytest.mark.parametrize(
    "url",
    [
        *("", "4318", "ftp://a", "http://", "http://a:x", "http://user:pass@a:4318"),
        *("http://a:4318?key=pass", "http://a:4318/v1/traces?key=pass", "http://a:4318/#pass"),
    ],
)
def test_what_is_no_url_or_may_hold_a_password_is_refused(url: str) -> None:
    for given, environment in ((url, {}), ("env", {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url})):
        with pytest.raises(UsageError) as refused:
            read_telemetry(None, given, environment)
        assert refused.value.hint
        assert "pass@" not in str(refused.value)
        assert "=pass" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["of-a-collector", "key=", "=of-a-collector", "a=b,of-a-collector", "key=of-a%0Acollector"]
)
def test_headers_that_cannot_be_sent_are_refused_before_any_call(text: str) -> None:
    with pytest.raises(UsageError, match="OTEL_EXPORTER_OTLP_HEADERS is not valid") as refused:
        read_telemetry(None, "http://127.0.0.1:4318", {"OTEL_EXPORTER_OTLP_HEADERS": text})
    assert "collector" not in refused.value.what


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_there_is_not_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match="--prometheus must be a port"):
        read_telemetry(port, None, {})


def test_without_the_extra_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib.util, "find_spec", not_found)
    with pytest.raises(UsageError) as refused:
        read_telemetry(None, "http://127.0.0.1:4318", {})
    assert "otel" in str(refused.value.hint)


def test_headers_of_the_environment_are_secret() -> None:
    environment = {"OTEL_EXPORTER_OTLP_HEADERS": "key=of-a-collector", "PATH": "/bin"}
    telemetry = read_telemetry(None, "http://127.0.0.1:4318", environment)
    assert environment == {"PATH": "/bin"}
    assert "of-a-collector" not in repr(telemetry)


def test_nothing_is_asked_for_where_no_option_is_given() -> None:
    assert read_telemetry(None, None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}) is None
