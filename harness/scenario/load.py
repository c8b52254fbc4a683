"""Loads a scenario's file into a validated scenario that knows where each of its parts is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import Place, ScenarioError, UsageError, each_of, raise_all
from harness.parsing.fitting import fit_model
from harness.parsing.plain_words import nearest
from harness.parsing.yaml_places import Keys, PlaceOf, parse_yaml, place_of, read_yaml
from harness.scenario.model import Scenario
from harness.scenario.no_keys import refuse_key
from harness.scenario.prompt import Prompt, read_prompt
from harness.secret import KEY_PREFIX, SURE_KEY

SCENARIOS_FOLDER = Path("scenarios")
_VARIABLE = re.compile(r"(?P<escape>\$)?\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")


class UnsetVariableError(ScenarioError):
    """A scenario names an environment variable that is not set. The scenario itself may be valid."""


@dataclass(frozen=True)
class LoadedScenario:
    """A validated scenario with its file, the places of its parts, and its session overrides resolved."""

    model: Scenario
    path: Path
    raw: Any
    overrides: Mapping[str, str]
    prompt: Prompt | None = None
    place_in: PlaceOf | None = None
    left_out: Sequence[Keys] = ()
    """Where values are that do not fit, in a scenario that is only examined further."""

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.model.name

    def recorded(self) -> dict[str, Any]:
        """Returns the scenario as run.json has it: without defaults."""
        return self.model.model_dump(exclude_none=True, exclude_defaults=True)

    def place(self, *keys: str | int) -> Place:
        """File, line and column of the value under these keys, or the option that gave it."""
        return self.place_in(self.raw, keys) if self.place_in else place_of(self.path, self.raw, keys)


@dataclass(frozen=True)
class Examined:
    """A scenario's file, with all that is wrong with it.

    Attributes:
        problems: What is wrong, each with its place.
        fits: The scenario; what is wrong is left out of it. None if too little is left.
    """

    problems: Sequence[UsageError]
    fits: LoadedScenario | None

    def valid(self) -> LoadedScenario:
        """Returns the scenario.

        Raises:
            ScenarioError: It is invalid; names file, line, column and the closest valid name.
            SeveralErrors: There is more than one error in it.
        """
        raise_all(self.problems)
        assert self.fits is not None, "what does not fit is an error"  # noqa: S101 - for the type checker
        return self.fits


def load_scenario(
    path: Path, *, sets: Sequence[tuple[str, str]] = (), env: Mapping[str, str] | None = None
) -> LoadedScenario:
    """Loads the scenario in `path`, with `sets` (dotted key, YAML value) applied and `${NAME}` expanded from `env`.

    Raises:
        ScenarioError: It is invalid; names file, line, column and the closest valid name.
        SeveralErrors: There is more than one error in it.
    """
    return _examine_file(path, sets=sets, env=env or {}).valid()


def _examine_file(path: Path, *, sets: Sequence[tuple[str, str]], env: Mapping[str, str]) -> Examined:
    try:
        raw = read_yaml(path, error=ScenarioError)
    except UsageError as problem:
        return Examined(each_of(problem), None)
    if not isinstance(raw, dict):
        what, hint = "a scenario must be a mapping with name and turns", "see `voice-harness schema`"
        return Examined([ScenarioError(what, where=Place(path), hint=hint)], None)
    raw.setdefault("name", path.stem)
    return examine(raw, path, sets=sets, env=env)


def examine(
    raw: Any,
    path: Path,
    *,
    sets: Sequence[tuple[str, str]],
    env: Mapping[str, str],
    place_in: PlaceOf | None = None,
) -> Examined:
    """Examines the scenario in `raw`, after applying `sets` and `env` to it.

    Paths in it are relative to `path`'s directory. `place_in` returns the place of a value of `raw`
    if that is not in the file at `path`.
    """
    where: PlaceOf = place_in or partial(place_of, path)
    problems: list[UsageError] = []
    for dotted, value in sets:
        try:
            _lay_over(raw, dotted, value, where(raw, ()))
        except ScenarioError as problem:
            problems.append(problem)
    variables = _Variables(raw, where, env)
    variables.fill(raw)
    try:
        refuse_key(raw, _is_key, partial(where, raw))
    except UsageError as problem:  # other errors are not reported: they could repeat the key
        return Examined([*problems, *(error for _, error in variables.problems), *each_of(problem)], None)
    fitted = fit_model(Scenario, raw, place=where, error=ScenarioError, known=variables.problems, stand_in=_stand_in)
    problems += fitted.errors
    if fitted.model is None:
        return Examined(problems, None)
    try:
        prompt = _prompt(fitted.model, raw, path, where)
    except UsageError as problem:
        problems += each_of(problem)
        prompt = None
    overrides = {key: str(value) for key, value in fitted.model.session.model_dump(exclude_none=True).items()}
    if prompt is not None:
        overrides["system_prompt"] = prompt.text
    return Examined(problems, LoadedScenario(fitted.model, path, raw, overrides, prompt, place_in, fitted.left_out))


def _stand_in(keys: Keys, value: Any) -> Any:
    """Returns what stands for a name or step that does not fit, so that the others keep their places."""
    match keys:
        case ("name",):
            return "unnamed"
        case ("turns", int()):
            said = {"say": value["say"]} if isinstance(value, dict) and "say" in value else None
            return said if said not in (None, value) else {"wait": "1s"}
        case _:
            return None


def _is_key(text: str) -> bool:
    return SURE_KEY.search(text) is not None


def parse_set(text: str, option: str = "--set") -> tuple[str, str]:
    """Parses `session.language=fr`, the value of an option, to (dotted key, value).

    Raises:
        ScenarioError: There is no `=` in it.
    """
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise ScenarioError(
            f"{text!r} is not KEY=VALUE", where=option, hint=f"write for example {option} session.language=fr"
        )
    return key.strip(), value


def _lay_over(raw: Any, dotted: str, value: str, where: Place) -> None:
    parsed = parse_yaml(value) if value.strip() else ""
    node = raw
    steps = dotted.split(".")
    for index, step in enumerate(steps):
        last = index == len(steps) - 1
        if isinstance(node, list):
            if not (step.isascii() and step.isdigit()) or int(step) >= len(node):
                whole = f"set {'.'.join(steps[:index])} as a whole, such as [a, b]"
                raise ScenarioError(
                    f"--set {dotted}: {'.'.join(steps[:index])} is a list of {len(node)} and has no item {step!r}",
                    where=where,
                    hint=f"use a number from 0 to {len(node) - 1}" if node else whole,
                )
            key: Any = int(step)
        elif isinstance(node, dict):
            # A threshold's name itself contains dots.
            key = ".".join(steps[index:]) if index == 1 and steps[0] == "thresholds" else step
            last = last or key != step
        else:
            raise ScenarioError(
                f"--set {dotted}: {'.'.join(steps[:index])} is a single value and has no keys",
                where=where,
                hint="set that key instead",
            )
        if last:
            node[key] = parsed
            return
        if isinstance(node, dict) and not isinstance(node.get(key), dict | list):
            node[key] = {}
        node = node[key]


class _Variables:
    """Expands `${NAME}` in every text of a scenario from the environment; `$${NAME}` is the escape."""

    def __init__(self, raw: Any, where: PlaceOf, env: Mapping[str, str]) -> None:
        self._raw = raw
        self._where = where
        self._env = env
        self._done: set[int] = set()
        self.problems: list[tuple[Keys, ScenarioError]] = []

    def fill(self, node: Any, keys: Keys = ()) -> None:
        """Expands the texts of a mapping or list; one that YAML aliases share is expanded once."""
        if id(node) in self._done:
            return
        self._done.add(id(node))
        for key, value in list(node.items()) if isinstance(node, dict) else list(enumerate(node)):
            here = (*keys, key)
            if isinstance(value, dict | list):
                self.fill(value, here)
            elif isinstance(value, str) and "${" in value:
                node[key] = _VARIABLE.sub(partial(self._value_of, keys=here), value)

    def _value_of(self, match: re.Match[str], *, keys: Keys) -> str:
        try:
            return _value_of(match, place=self._where(self._raw, keys), env=self._env)
        except ScenarioError as problem:
            self.problems.append((keys, problem))
            return match[0]


def _value_of(match: re.Match[str], *, place: Place, env: Mapping[str, str]) -> str:
    name = match["name"]
    if match["escape"]:
        return f"${{{name}}}"
    if name not in env:
        raise UnsetVariableError(
            f"the environment variable {name} is not set",
            where=place,
            hint=f"set {name}, or write $${{{name}}} for the literal text",
        )
    if env[name].strip().startswith(KEY_PREFIX):
        raise ScenarioError(
            f"the variable {name} holds an API key, which a scenario must not contain",
            where=place,
            hint="set api_key_env of a target in voice-harness.toml to this variable",
        )
    return env[name]


def _prompt(model: Scenario, raw: Any, path: Path, where: PlaceOf) -> Prompt | None:
    if model.session.system_prompt is None:
        return None
    prompt = read_prompt(model.session.system_prompt, path.parent, where(raw, ("session", "system_prompt")))
    file = prompt.file
    if file is not None:
        refuse_key(prompt.text, _is_key, lambda _: Place(file))
    return prompt


@dataclass(frozen=True)
class Found:
    """What is in scenario files: the valid scenarios, what fits of the others, and what is wrong with those."""

    valid: Sequence[LoadedScenario]
    others: Sequence[LoadedScenario]
    problems: Sequence[UsageError]


def load_scenarios(
    paths: Sequence[Path], *, sets: Sequence[tuple[str, str]] = (), env: Mapping[str, str] | None = None
) -> list[LoadedScenario]:
    """Loads all scenarios in files and directories (their `*.yaml`), in order; names must be unique.

    Raises:
        ScenarioError: As `load_scenario`; a directory without scenarios; a duplicate name.
        SeveralErrors: More than one of these.
    """
    found = find_scenarios(paths, sets=sets, env=env)
    raise_all(found.problems)
    return list(found.valid)


def find_scenarios(
    paths: Sequence[Path],
    *,
    sets: Sequence[tuple[str, str]] = (),
    env: Mapping[str, str] | None = None,
    names: Sequence[str] = (),
) -> Found:
    """Loads what is valid of all scenarios in files and directories; see `load_scenarios`.

    `names` are what a path may also be, for the hint about one that does not exist.
    """
    files, problems = _scenario_files(paths, names)
    valid: list[LoadedScenario] = []
    others: list[LoadedScenario] = []
    seen: dict[str, Path] = {}
    for file in files:
        examined = _examine_file(file, sets=sets, env=env or {})
        scenario = examined.fits
        if examined.problems or scenario is None:
            problems += examined.problems
            others += [scenario] if scenario is not None else []
            continue
        if scenario.name in seen:
            what = f"the name {scenario.name!r} is already used by {seen[scenario.name]}"
            hint = "give each scenario a different name"
            problems.append(ScenarioError(what, where=scenario.place("name"), hint=hint))
            others.append(scenario)
            continue
        seen[scenario.name] = scenario.path
        valid.append(scenario)
    return Found(valid, others, problems)


def _scenario_files(paths: Sequence[Path], names: Sequence[str]) -> tuple[list[Path], list[UsageError]]:
    """The given files and those in given directories; and an error for each directory without any."""
    problems: list[UsageError] = []
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            problems.append(_missing(path, names))
        elif path.is_dir():
            found = sorted([*path.glob("*.yaml"), *path.glob("*.yml")])
            if not found:
                what = "this folder contains no scenario (*.yaml)"
                problems.append(
                    ScenarioError(what, where=Place(path), hint="give a scenario file, or a folder with scenarios")
                )
            files.extend(found)
        else:
            files.append(path)
    for path, times in Counter(files).items():
        if times > 1:
            hint = "name it once; --repeat runs it several times"
            problems.append(ScenarioError("this scenario is named more than once", where=Place(path), hint=hint))
    return list(dict.fromkeys(files)), problems


def _missing(path: Path, names: Sequence[str]) -> ScenarioError:
    """The error for a path that does not exist; suggests a file in its folder or in `scenarios/`, or one of `names`."""
    nearby = [file for folder in (path.parent, SCENARIOS_FOLDER) for file in sorted(folder.glob("*.y*ml"))]
    known = {name: name for name in names} | {file.stem: str(file) for file in reversed(nearby)}
    alike = nearest(path.stem, list(known))
    hint = f"did you mean {known[alike]}?" if alike is not None else "check the path"
    return ScenarioError("no such file or folder", where=Place(path), hint=hint)
