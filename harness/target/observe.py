"""`[observe]` in `voice-harness.toml`: which Prometheus server to ask, after the calls, about the agent's hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from harness.errors import ConfigError
from harness.parsing.fitting import MisfitError, refuse_misfits
from harness.secret import Secret
from harness.target.config_values import Endpoint, Seconds, Strict, Variable
from harness.target.keys import check_key, is_set

DEFAULT_STEP_S = 5.0
MOST_QUERIES = 20
LONGEST_NAME = 60
LONGEST_QUERY = 2000


def _server(url: str) -> str:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user or password; set token_env to the variable that holds a bearer token")
    if "?" in url:
        raise ValueError("must not have a query (?…): write the server's URL, such as http://127.0.0.1:9090")
    if parts.path.rstrip("/").endswith(("/query", "/query_range", "/api/v1")):
        raise ValueError("must end before /api/v1: write the server's URL, such as http://127.0.0.1:9090")
    return url.rstrip("/")


def _queries(queries: dict[str, str]) -> dict[str, str]:
    if not queries:
        raise ValueError("must have at least one query: \"agent CPU\" = 'sum(rate(…[30s]))'")
    if len(queries) > MOST_QUERIES:
        raise ValueError(f"must have at most {MOST_QUERIES} queries (got {len(queries)})")
    refuse_misfits([MisfitError(why, name) for name, query in queries.items() if (why := _misfit(name, query))])
    return queries


def _misfit(name: str, query: str) -> str:
    if not name.strip() or not name.isprintable():
        return "the name of a query must not be blank, and must be printable"
    if len(name) > LONGEST_NAME:
        return f"the name of a query must have at most {LONGEST_NAME} characters (got {len(name)})"
    if not query.strip():
        return "the query must not be blank"
    if len(query) > LONGEST_QUERY:
        return (
            f"the query must have at most {LONGEST_QUERY} characters (got {len(query)}); a recording rule shortens it"
        )
    return ""


Server = Annotated[Endpoint, AfterValidator(_server)]
Queries = Annotated[dict[str, str], AfterValidator(_queries)]


class ObserveConfig(Strict):
    """The table `[observe]`, for all targets without one of their own.

    Attributes:
        prometheus: The server's URL, without `/api/v1`.
        token_env: The variable that holds a bearer token for it; None for none.
        step: The time between two points, in seconds.
        queries: PromQL by name.
    """

    prometheus: Server
    token_env: Variable | None = None
    step: Seconds = DEFAULT_STEP_S
    queries: Queries


class TargetObserve(Strict):
    """The table `[targets.NAME.observe]`: what it leaves out is taken from `[observe]`."""

    prometheus: Server | None = None
    token_env: Variable | None = None
    step: Seconds | None = None
    queries: Queries | None = None

    def missing_over(self, common: ObserveConfig | None) -> tuple[str, ...]:
        """The keys that are needed and neither here nor in `[observe]`."""
        return tuple(key for key in ("prometheus", "queries") if getattr(self, key) is None and common is None)

    def over(self, common: ObserveConfig | None) -> ObserveConfig:
        """The settings of this target. The token of `[observe]` goes only to the server of `[observe]`."""
        inherited = {} if common is None else common.model_dump()
        if self.prometheus is not None:
            inherited.pop("token_env", None)
        return ObserveConfig(**inherited | self.model_dump(exclude_none=True))


@dataclass(frozen=True, slots=True)
class Observing:
    """What to observe of the hosts of a target, resolved: the token has been read.

    Args:
        prometheus: The server's URL.
        queries: PromQL by name.
        step_s: The time between two points.
        token: The bearer token; None if there is none, or its variable is not set.
        token_variable: The variable that holds the token; None if none is needed.
    """

    prometheus: str
    queries: Mapping[str, str]
    step_s: float = DEFAULT_STEP_S
    token: Secret | None = None
    token_variable: str | None = None

    @classmethod
    def resolved(cls, config: ObserveConfig, env: Mapping[str, str]) -> Observing:
        """Reads the token. That its variable is not set is no error yet: not every command observes.

        Raises:
            ConfigError: The token is not valid in a header.
        """
        variable, token = config.token_env, None
        if variable is not None and is_set(env, variable):
            token = Secret(env[variable].strip())
            check_key(token, where=variable, what="the bearer token")
        return cls(config.prometheus, dict(config.queries), config.step, token, variable)

    def check(self) -> None:
        """Checks that the server can be asked.

        Raises:
            ConfigError: The variable of the token is not set.
        """
        if self.token_variable is not None and self.token is None:
            raise ConfigError(
                f"the environment variable {self.token_variable} with the bearer token for Prometheus is not set",
                where="[observe]",
                hint=f"set it: export {self.token_variable}=…, or remove token_env",
            )
