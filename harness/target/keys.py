"""API keys: read from an environment variable, sent in a header, and used nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import ConfigError
from harness.secret import Secret

URL_KEY_VARIABLE = "VOICE_HARNESS_API_KEY"


def key_from(env: Mapping[str, str], variable: str) -> Secret:
    """The key that `variable` holds, stripped.

    Raises:
        ConfigError: The variable is unset or blank, or its value is not valid in a header.
    """
    if not is_set(env, variable):
        raise ConfigError(
            f"the environment variable {variable} with the API key is not set",
            where=variable,
            hint=f"set it: export {variable}=…",
        )
    key = Secret(env[variable].strip())
    check_key(key, where=variable)
    return key


def is_set(env: Mapping[str, str], variable: str) -> bool:
    """Whether the variable is set to more than white space."""
    return bool(env.get(variable, "").strip())


def check_key(key: Secret, *, where: str, what: str = "the API key") -> None:
    """Checks that the key (or `what` it is) is valid in a header.

    Raises:
        ConfigError: It contains blanks, line ends or non-ASCII characters.
    """
    if not key.reveal().isascii() or not key.reveal().isprintable() or " " in key.reveal():
        raise ConfigError(
            f"{what} contains spaces, line breaks or other characters that are not allowed in a header",
            where=where,
            hint="copy it again, without anything around it",
        )
