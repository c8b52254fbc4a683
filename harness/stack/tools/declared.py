"""An MCP server as the agents file declares it."""

from __future__ import annotations

import importlib.util
import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from harness.installed_from import with_extra
from harness.parsing.durations import duration_s
from harness.secret import without_secrets
from harness.stack.file_words import Duration, Strict

TOKEN_PREFIX = "MCP_TOKEN"  # noqa: S105 - the start of a variable's name
OWN_KEY = "VOICE_HARNESS_API_KEY"
MOST_TIMEOUT_S = 60.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _some_time(value: str) -> str:
    if not 0 < duration_s(value) <= MOST_TIMEOUT_S:
        raise ValueError(f"must be more than 0s and at most {MOST_TIMEOUT_S:.0f}s")
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("must be the name of an environment variable that holds the token, not the token itself")
    if value == OWN_KEY:
        raise ValueError(f"{OWN_KEY} is the key of the session service; use a variable of the server's own")
    return value


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be the http:// or https:// URL of an MCP server")
    if "@" in parts.netloc or without_secrets(value) != value:
        raise ValueError("must not contain a secret; name the variable that holds it with token_env")
    return value


class McpServer(Strict):
    """An MCP server whose tools an agent uses: one with a `url` (streamable HTTP), or a program (stdio)."""

    url: Annotated[str, AfterValidator(_address)] | None = Field(None, description="For streamable HTTP.")
    token_env: Annotated[str, AfterValidator(_variable)] | None = Field(
        None, description="The variable with the token that is sent to `url` as `Authorization: Bearer`."
    )
    command: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="For stdio: the program and its arguments."
    )
    cwd: str | None = Field(None, description="The program's working folder. Default: the agents file's.")
    timeout: Annotated[Duration, AfterValidator(_some_time)] = Field(
        "5s", description="For listing its tools, and for each call."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (self.command is None):
            raise ValueError("write exactly one of url and command")
        if self.url is None and self.token_env is not None:
            raise ValueError("token_env needs url: a program gets no token")
        if self.command is None and self.cwd is not None:
            raise ValueError("cwd needs command")
        if self.url is not None and self.token_env is not None:
            parts = urlsplit(self.url)
            if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
                raise ValueError("a token is sent to another machine over https:// only")
        return self

    @property
    def timeout_s(self) -> float:
        """`timeout` in seconds."""
        return duration_s(self.timeout)


def missing_extra() -> str | None:
    """The hint that installs the extra `mcp`; None if it is installed."""
    return None if importlib.util.find_spec("mcp") is not None else with_extra("mcp")
