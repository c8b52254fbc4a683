"""`voice-harness.toml`: the targets by name. It never contains keys, only the names of the variables that do."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from harness.errors import ConfigError, Place, UsageError, raise_all
from harness.parsing.fitting import MisfitError, fit_model, refuse_misfits
from harness.parsing.plain_words import nearest
from harness.parsing.toml_places import line_of
from harness.parsing.yaml_places import Keys
from harness.target.config_values import Endpoint, Seconds, SomeText, Strict, Variable
from harness.target.keys import URL_KEY_VARIABLE
from harness.target.observe import ObserveConfig, TargetObserve
from harness.target.shown import holds_key

FILE_NAME = "voice-harness.toml"
EMBEDDED = "embedded"

_KEY_NAMES = frozenset({"api_key", "apikey", "api-key", "x-api-key", "key", "secret", "token", "password"})
_SEE_INIT = "see the file that `voice-harness init` writes"
_USE_API_KEY_ENV = (
    'remove it, set api_key_env = "NAME" to the variable that holds it, and replace the key if the file was ever shared'
)


class TargetTimeouts(Strict):
    """The target's timeouts, in seconds; the harness's defaults apply to those left out."""

    session: Seconds | None = None
    connect: Seconds | None = None
    agent_join: Seconds | None = None
    greeting: Seconds | None = None
    reply: Seconds | None = None
    end_silence: Seconds | None = None
    call: Seconds | None = None

    def given(self) -> dict[str, float]:
        """The timeouts that are set."""
        return self.model_dump(exclude_none=True)


class TargetConfig(Strict):
    """One table `[targets.NAME]`."""

    kind: Literal["session", "backend", "embedded"]
    url: Endpoint | None = None
    api_key_env: Variable | None = None
    agent: SomeText | None = None
    agents: SomeText | None = None
    agent_identity: SomeText | None = None
    timeouts: TargetTimeouts = Field(default_factory=TargetTimeouts)
    observe: TargetObserve | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> TargetConfig:
        allowed = {
            "session": {"url", "api_key_env", "agent"},
            "backend": {"url", "agent"},
            "embedded": {"agent", "agents"},
        }[self.kind]
        what = f"is not allowed in a target of kind {self.kind!r}"
        others = [name for name in ("url", "api_key_env", "agents") if name not in allowed]
        refuse_misfits([MisfitError(what, name) for name in others if getattr(self, name) is not None])
        if "url" in allowed and self.url is None:
            raise ValueError(f"a target of kind {self.kind!r} needs url, the complete endpoint")
        return self

    @property
    def key_variable(self) -> str | None:
        """The variable that holds the key; None if the kind takes no key."""
        return (self.api_key_env or URL_KEY_VARIABLE) if self.kind == "session" else None


class Config(Strict):
    """The whole file."""

    default_target: SomeText | None = None
    observe: ObserveConfig | None = None
    targets: dict[str, TargetConfig] = Field(default_factory=dict)
    _path: Path = PrivateAttr(default=Path(FILE_NAME))
    _warnings: tuple[str, ...] = PrivateAttr(default=())

    @property
    def path(self) -> Path:
        """The file it was read from."""
        return self._path

    def observe_for(self, name: str) -> ObserveConfig | None:
        """What to observe of the hosts of a target; `name` may be one that is not in the file."""
        target = self.targets.get(name)
        own = None if target is None else target.observe
        return self.observe if own is None else own.over(self.observe)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Settings that are valid but often mistakes."""
        return self._warnings


def find_config(folder: Path) -> Path | None:
    """The nearest `voice-harness.toml` in `folder` or its parents, up to the root of a git repository."""
    for candidate in (folder, *folder.parents):
        if (candidate / FILE_NAME).is_file():
            return candidate / FILE_NAME
        if (candidate / ".git").exists():
            return None
    return None


def load_config(path: Path) -> Config:
    """Reads the file.

    Raises:
        ConfigError: It cannot be read, is no TOML, contains a key, or has an invalid setting; with the line if known.
    """
    # Raised here, where no variable holds the file's text: a key in it must not show in a traceback.
    outcome = _read(path)
    if isinstance(outcome, Config):
        return outcome
    raise_all(outcome)
    raise AssertionError("a file that is refused has an error")


def _read(path: Path) -> Config | Sequence[UsageError]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        return [_no_toml(str(problem), path)]
    except OSError as problem:
        return [ConfigError(f"the file cannot be read: {problem.strerror}", where=Place(path), hint="check the path")]
    except (UnicodeDecodeError, RecursionError):
        return [ConfigError("the file is not valid TOML", where=Place(path), hint="save it as UTF-8 text")]
    refused = _written_key(data, path, text)
    if refused is not None:  # other errors are not reported: they could repeat the key
        return [refused]

    def place(_: Any, keys: Keys) -> Place:
        return Place(path, line_of(text, tuple(map(str, keys))))

    known = list(_not_yet(data, path, text))
    fitted = fit_model(Config, data, place=place, error=ConfigError, hint=_SEE_INIT, known=known)
    config = fitted.model
    if config is None:
        return fitted.errors
    config._path = path  # noqa: SLF001 - not part of the file
    config._warnings = tuple(_shared_keys(config, text))  # noqa: SLF001 - as above
    return [*fitted.errors, *_wrong_names(config, data, text), *_half_observed(config, data, text)] or config


def _no_toml(message: str, path: Path) -> ConfigError:
    place = re.search(r" \(at line (\d+), column (\d+)\)", message)
    where = Place(path, int(place[1]), int(place[2])) if place else Place(path)
    what = re.sub(r" \(at .*\)$", "", message)
    return ConfigError(f"invalid TOML: {what}", where=where, hint="check the quotes, brackets and equals signs")


def _values(data: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield keys, data
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from _values(value, (*keys, name))
    elif isinstance(data, list):
        for value in data:
            yield from _values(value, keys)


def _written_key(data: Mapping[str, Any], path: Path, text: str) -> ConfigError | None:
    for keys, value in _values(data):
        named = keys and keys[-1].lower() in _KEY_NAMES and not isinstance(value, Mapping)
        if named or any(holds_key(key) for key in keys) or (isinstance(value, str) and holds_key(value)):
            place = Place(path, line_of(text, keys))
            return ConfigError("this file must not contain an API key", where=place, hint=_USE_API_KEY_ENV)
    return None


def _not_yet(data: Mapping[str, Any], path: Path, text: str) -> Iterator[tuple[Keys, ConfigError]]:
    targets = data.get("targets")
    for name, target in targets.items() if isinstance(targets, Mapping) else ():
        if isinstance(target, Mapping) and target.get("kind") == "livekit":
            error = ConfigError(
                "kind 'livekit' (rooms made with LiveKit's own keys) is not supported yet",
                where=Place(path, line_of(text, ("targets", name, "kind"))),
                hint="use kind 'session' or 'backend'",
            )
            yield ("targets", name), error


def _shared_keys(config: Config, text: str) -> Iterator[str]:
    """Warnings for targets with the same key variable: one target's key would be sent to the other's service."""
    by_variable: dict[str, list[str]] = {}
    for name, target in config.targets.items():
        if target.key_variable is not None:
            by_variable.setdefault(target.key_variable, []).append(name)
    for variable, names in by_variable.items():
        if len(names) > 1:
            told = " and ".join(f"{name} ({_key_place(config, text, name)})" for name in names)
            yield (
                f"the targets {told} use the same variable, {variable}: all of their services receive the same key\n"
                "  hint: set a different api_key_env for each target, unless they share this key on purpose"
            )


def _key_place(config: Config, text: str, name: str) -> Place:
    """The place of a target's key variable, or of the target itself if it is left out."""
    given = config.targets[name].api_key_env is not None
    keys = ("targets", name, "api_key_env") if given else ("targets", name)
    return Place(config.path, line_of(text, keys))


def _wrong_names(config: Config, data: Mapping[str, Any], text: str) -> Iterator[ConfigError]:
    for name, target in config.targets.items():
        place = Place(config.path, line_of(text, ("targets", name)))
        if name == EMBEDDED and target.kind != EMBEDDED:
            what = f"the name 'embedded' is reserved for the embedded stack, but this target is of kind {target.kind!r}"
            yield ConfigError(what, where=place, hint="rename the target")
        elif not name.strip() or "://" in name:
            yield ConfigError("a target's name must not be blank or a URL", where=place, hint="use a short name")
    written = data.get("targets", {})  # with those that do not fit
    default = config.default_target
    if default is not None and default != EMBEDDED and isinstance(written, Mapping) and default not in written:
        yield unknown_target(default, config, where=Place(config.path, line_of(text, ("default_target",))))


def _half_observed(config: Config, data: Mapping[str, Any], text: str) -> Iterator[ConfigError]:
    """Errors for targets of which something is to be observed, but not what, or not by whom."""
    if config.observe is None and "observe" in data:  # it does not fit, which is an error already
        return
    for name, target in config.targets.items():
        missing = () if target.observe is None else target.observe.missing_over(config.observe)
        for key in missing:
            place = Place(config.path, line_of(text, ("targets", name, "observe")))
            yield ConfigError(f"the key {key!r} is missing", where=place, hint="add it here or to [observe]")


def unknown_target(name: str, config: Config | None, *, where: Place | str) -> ConfigError:
    """The error for an unknown target's name; suggests the closest one."""
    known = sorted({EMBEDDED, *(config.targets if config is not None else ())})
    alike = nearest(name, known)
    return ConfigError(
        f"unknown target {name!r}" + (f"; did you mean {alike!r}?" if alike else ""),
        where=where,
        hint=f"use one of: {', '.join(known)}; or give a URL",
    )
