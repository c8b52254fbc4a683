"""API keys: from a variable of the environment to a header, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import ConfigError
from harness.secret import Secret

URL_KEY_VARIABLE = "VOICE_HARNESS_API_KEY"


def key_from(env: Mapping[str, str], variable: str) -> Secret:
    """The key that `variable` holds, without blanks around it.

    Raises:
        ConfigError: The variable is not set or blank, or what it holds can stand in no header.
    """
    if not is_set(env, variable):
        raise ConfigError(
            f"the variable {variable}, which holds the API key, is not set",
            where=variable,
            hint=f"set it in the environment: export {variable}=…",
        )
    key = Secret(env[variable].strip())
    check_key(key, where=variable)
    return key


def is_set(env: Mapping[str, str], variable: str) -> bool:
    """Whether the variable holds more than blanks."""
    return bool(env.get(variable, "").strip())


def check_key(key: Secret, *, where: str) -> None:
    """Returns where the key can stand in a header.

    Raises:
        ConfigError: It holds blanks, line ends or characters beyond ASCII.
    """
    if not key.reveal().isascii() or not key.reveal().isprintable() or " " in key.reveal():
        raise ConfigError(
            "the API key holds blanks, line ends or other characters that no header can carry",
            where=where,
            hint="copy the key again, and nothing else with it",
        )
