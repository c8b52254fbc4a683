"""Chooses the target. A CI gate must never pass because it called the demo by mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from harness.errors import ConfigError, Place, UsageError
from harness.target.config import EMBEDDED, Config, TargetConfig, unknown_target
from harness.target.endpoint import check_endpoint, is_loopback
from harness.target.keys import URL_KEY_VARIABLE, is_set, key_from
from harness.target.observe import Observing
from harness.target.shown import holds_key, shown_url
from harness.target.target import Target

EMBEDDED_AGENT = "demo"


def check_agent(option: str | None, where: str = "--agent") -> None:
    """Checks that an agent that was named is not blank, as a variable that is not set makes it.

    Raises:
        UsageError: It is: the default agent would be called in its place, and judged as the one that was meant.
    """
    if option is not None and not option.strip():
        what = "the agent's id must not be empty"
        raise UsageError(what, where=where, hint="write an id, or remove the option; a variable may not be set")


def choose_target(
    option: str | None, *, config: Config | None, env: Mapping[str, str], where: str = "--target"
) -> Target:
    """The target that `--target` names, else the configuration's default, else the embedded stack.

    The embedded stack must be named explicitly if a key is in the environment or `CI` is set.

    Args:
        option: The value of `--target`: a name, a URL or `embedded`; None if it was not given.
        config: The content of `voice-harness.toml`, if there is one.
        env: The environment.
        where: The option, for errors.

    Raises:
        ConfigError: No such target, none named although required, no key for it, or an unusable URL.
    """
    if option is not None:
        return _observed(_named(option, where=where, config=config, env=env), config, env)
    if config is not None and config.default_target is not None:
        named = _named(config.default_target, where=Place(config.path), config=config, env=env)
        return _observed(named, config, env)
    reason = _why_to_name_one(config, env)
    if reason is not None:
        raise ConfigError(
            f"no target is given, and {reason}: the embedded demo is not called by default here",
            where="--target",
            hint="add --target NAME, --target URL or --target embedded, or set default_target in voice-harness.toml",
        )
    return _observed(_named(EMBEDDED, where="--target", config=config, env=env), config, env)


def _observed(target: Target, config: Config | None, env: Mapping[str, str]) -> Target:
    """The target with what the configuration observes of its hosts."""
    observe = None if config is None else config.observe_for(target.name)
    return target if observe is None else replace(target, observe=Observing.resolved(observe, env))


def _why_to_name_one(config: Config | None, env: Mapping[str, str]) -> str | None:
    """The reason not to default to the embedded stack, if there is one."""
    targets = config.targets.values() if config is not None else ()
    variables = [URL_KEY_VARIABLE, *(target.api_key_env for target in targets if target.api_key_env is not None)]
    found = next((variable for variable in variables if is_set(env, variable)), None)
    if found is not None:
        return f"a key is in the environment ({found})"
    if env.get("CI", "").strip().lower() not in ("", "0", "false"):
        return "CI is set"
    return None


def _named(name: str, *, where: Place | str, config: Config | None, env: Mapping[str, str]) -> Target:
    if holds_key(name):
        raise ConfigError(
            "this contains an API key, and everyone on this machine can read command lines",
            where=where,
            hint=f"set {URL_KEY_VARIABLE} to the key, and give a target or a URL here",
        )
    if config is not None and name in config.targets:
        return _from_config(name, config.targets[name], config, env)
    if name == EMBEDDED:
        return Target(EMBEDDED, "embedded", agent=EMBEDDED_AGENT)
    if "://" in name:
        return _from_url(name, where, env)
    raise unknown_target(name, config, where=where)


def _from_url(url: str, where: Place | str, env: Mapping[str, str]) -> Target:
    try:
        check_endpoint(url)
    except ValueError as problem:
        raise ConfigError(str(problem), where=where, hint="give the complete URL of the endpoint") from None
    key = key_from(env, URL_KEY_VARIABLE)
    name = shown_url(url, secrets=(key,))
    return Target(name, "session", url=url, api_key=key, key_variable=URL_KEY_VARIABLE, notes=_notes(url))


def _from_config(name: str, entry: TargetConfig, config: Config, env: Mapping[str, str]) -> Target:
    agents_file = config.path.parent / entry.agents if entry.agents is not None else None
    if agents_file is not None and not agents_file.is_file():
        raise ConfigError(
            f"the agents file of target {name!r} does not exist: {agents_file}",
            where=Place(config.path),
            hint="write agents as a path relative to this file",
        )
    return Target(
        name,
        entry.kind,
        url=entry.url,
        api_key=key_from(env, entry.key_variable) if entry.key_variable is not None else None,
        key_variable=entry.key_variable,
        agent=entry.agent or (EMBEDDED_AGENT if entry.kind == "embedded" else None),
        timeouts=entry.timeouts.given(),
        agents_file=agents_file,
        agent_identity=entry.agent_identity,
        notes=_notes(entry.url) if entry.url is not None and entry.kind == "session" else (),
    )


def _notes(url: str) -> tuple[str, ...]:
    if urlsplit(url).scheme == "http" and not is_loopback(url):
        return (f"the API key is sent unencrypted to {shown_url(url)}; use https://",)
    return ()
