"""What a redacted copy of a run holds, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, Field

from harness.errors import ConfigError
from harness.parsing.limits import Limit
from harness.record.capacity import Capacity
from harness.record.metric_ref import MetricRef
from harness.record.observed import Observed
from harness.record.ran_out import RanOut
from harness.record.reason import InWords
from harness.record.recorded_run import RecordedRun
from harness.record.result import DEFINITIONS, CallResult, ExpectationResult
from harness.record.run_directory import RunDirectory, read_run
from harness.record.self_fault import SelfFaultSeen
from harness.record.settings import RunSettings
from harness.record.summary import Ending, Reason
from harness.report.redact import REDACTED, RULES, redacted, redacted_model
from harness.report.redact_scenario import redacted_scenario
from harness.run.finish import rebuild, rebuilt
from harness.run.redact import write_redacted
from harness.scenario.load import load_scenario
from harness.scenario.model import Scenario
from harness.scenario.shipped import shipped_scenarios
from tests.report.sample_run import sample_run

FILES = (RunSettings, CallResult, Capacity, Observed)
SECRET = "we open at nine on Saturdays"
# Values that are parsed when a file is read, as text with the secret in it where their text may hold one.
AS_TEXT: dict[Any, str] = {
    RanOut: f"{SECRET}: {SECRET}",
    SelfFaultSeen: f"{SECRET}: {SECRET}",
    MetricRef: "turn.ttfa",
    Limit: "p(95)<2s",
}


def made(annotation: Any) -> Any:
    """A value of that type, with the secret in every text that it may hold."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in AS_TEXT:
        return AS_TEXT[annotation]
    if origin is Annotated:
        return made(arguments[0])
    if origin in (Union, UnionType):
        return made(next(each for each in arguments if each is not NoneType))
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return [made(each) for each in arguments]
    if origin in (list, dict) or annotation is list:
        values = [made(arguments[-1])] if arguments else [SECRET]
        return values if origin is not dict else {SECRET: values[0]}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return filled(annotation)
    if annotation is float:
        return 0.9
    if annotation in (int, bool):
        return 1
    return SECRET


def filled(model: type[BaseModel]) -> dict[str, Any]:
    return {name: made(_annotated(field)) for name, field in model.model_fields.items() if not field.exclude}


def _annotated(field: Any) -> Any:
    return field.annotation


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and all that are in it."""
    yield model
    todo = [field.annotation for field in model.model_fields.values()]
    while todo:
        annotation = todo.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from models(annotation)
        todo += get_args(annotation)


def with_secret(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all texts with the secret in them."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from with_secret(each, f"{path}.{key}")
            if SECRET in key:
                yield f"{path}{{}}"
    elif isinstance(value, list):
        for each in value:
            yield from with_secret(each, f"{path}[]")
    elif isinstance(value, str) and SECRET in value:
        yield path


KEPT = {
    RunSettings: {
        *(".run", ".started", ".command[]", ".target", ".agent", ".engine", ".record", ".harness_version", ".python"),
        *(".platform", ".packages{}", ".packages.*", ".machine.cpu", ".load{}", ".load.*", ".calibration{}"),
        *(".calibration.*", ".thresholds[].metric", ".thresholds[].limit", ".thresholds[].where", ".scenarios{}"),
        *(".scenarios.*.path", ".scenarios.*.agent", ".scenarios.*.tags[]", ".scenarios.*.places{}"),
        *(".scenarios.*.places.*", ".capacity.objectives[]", ".baseline.name"),
        *(".in_turns.name", ".in_turns.target", ".in_turns.agent"),
    },
    CallResult: {
        *(".call", ".scenario", ".tags[]", ".target", ".agent", ".started", ".host", ".engine", ".retry_of"),
        *(".turns[].language", ".remeasured.why"),
        *(
            f".{where}.expectations[].{field}"
            for where in ("greeting", "turns[]", "waits[]")
            for field in ("expect", "place")
        ),
    },
    Capacity: {
        *(".answer.words", ".objectives[]", ".turns_wanted{}", ".recovery.why", ".curve[].observed[].query"),
        *(
            f"{where}.{field}"
            for where in (".steps[]", ".recovery.step")
            for field in ("started", "why", "objectives[].why", "failures{}", "call_ids[]", "observed[].query")
        ),
    },
    Observed: {".started", ".queries[].name"},
}


@pytest.mark.parametrize("model", FILES)
def test_of_all_texts_in_the_models_of_a_run_only_these_stay(model: type[BaseModel]) -> None:
    whole = model.model_validate_json(json.dumps(filled(model)))
    before = set(with_secret(json.loads(whole.model_dump_json())))
    assert before, "the texts are there before"
    left = with_secret(json.loads(redacted_model(whole).model_dump_json()))
    assert {path.replace(SECRET, "*") for path in left} == KEPT[model]


def test_every_rule_is_for_a_field_that_exists() -> None:
    known = {each for model in FILES for each in models(model)}
    assert {model for model, _ in RULES} <= known
    assert [(model, name) for model, name in RULES if name not in model.model_fields] == []


def test_a_text_that_is_added_later_is_redacted_as_long_as_nobody_allows_it() -> None:
    class Later(BaseModel):
        said: str = ""
        more: list[str] | None = None
        any: Any = None
        free: dict[str, Any] = Field(default_factory=dict)
        count: int = 0
        how: Literal["well", "badly"] = "well"

    later = Later(said=SECRET, more=[SECRET], any={"a": SECRET}, free={SECRET: 1}, count=3, how="badly")
    assert redacted_model(later) == Later(said=REDACTED, more=[REDACTED], any={}, count=3, how="badly")


EVERYTHING = {
    "name": "rich",
    "description": SECRET,
    "tags": ["smoke"],
    "session": {"system_prompt": SECRET, "greeting": SECRET, "language": "fr"},
    "pass": {"rate": 0.9, "confidence": 0.95},
    "greeting": {
        "within": {"limit": "5s", "pass": "9/10"},
        "reply": {"contains": [SECRET], "contains_any": ["9", SECRET], "pass": "9/10"},
    },
    "turns": [
        {
            "say": SECRET,
            "expect": {"ttfa": {"limit": "<2s", "pass": {"rate": 0.9}}, "wer": "<=0.3", "reply": {"matches": SECRET}},
        },
        {"say": {"text": SECRET, "voice": "joe"}, "barge_in": "800ms", "expect": {"stops_within": "1s", "pass": "1/2"}},
        {"type": SECRET, "expect": {"echo": "<500ms", "calls_tool": [{"name": SECRET, "arguments": {SECRET: SECRET}}]}},
        {"wait": "2s", "expect": {"agent_speaks": "<2s"}},
    ],
    "thresholds": {"turn.ttfa": ["p(95)<2s", {"limit": "max<9s", "abort_on_fail": True, "delay": "30s"}]},
    "timeouts": {"reply": "9s"},
    "stop_on_failure": True,
}


@pytest.mark.parametrize(
    "scenario",
    [EVERYTHING, *({"path": str(path)} for path in sorted(shipped_scenarios().values()))],
    ids=lambda scenario: Path(scenario.get("path", "everything")).stem,
)
def test_a_redacted_scenario_is_one_with_the_same_steps_and_limits(scenario: dict[str, Any]) -> None:
    whole = load_scenario(Path(scenario["path"]), env={}).model if "path" in scenario else Scenario(**scenario)
    shown = Scenario.model_validate(redacted_scenario(json.loads(whole.model_dump_json(exclude_defaults=True))))
    assert [step.kind for step in shown.turns] == [step.kind for step in whole.turns]
    assert (shown.name, shown.passes, shown.tags, shown.thresholds, shown.timeouts) == (
        whole.name,
        whole.passes,
        whole.tags,
        whole.thresholds,
        whole.timeouts,
    )
    for step, before in zip(shown.turns, whole.turns, strict=True):
        assert step.expect.model_dump(exclude={"reply", "calls_tool"}) == before.expect.model_dump(
            exclude={"reply", "calls_tool"}
        )
        assert (step.wait, step.barge_in) == (before.wait, before.barge_in)
    written = shown.model_dump_json()
    texts = [text for step in whole.turns for text in (step.say, step.type) if isinstance(text, str)]
    assert [text for text in (SECRET, *texts) if text in written] == []


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        *((limit, limit) for limit in ("<2s", "<=0.3", "<1500ms", "<1m30s", "<=30%", "true", ">=-30.5")),
        *(
            (limit, REDACTED)
            for limit in ("Blue Cafe", "nine", '"9"', "(?i)park", "<script>", "true story", "book_table")
        ),
    ],
)
def test_a_limit_stays_where_it_is_one_of_numbers(limit: str, shown: str) -> None:
    expectation = ExpectationResult(expect="contains", limit=limit, outcome="failed", why="it took 900 ms")
    assert redacted_model(expectation).limit == shown
    assert redacted_model(expectation).why == "it took 900 ms"


@pytest.mark.parametrize(
    ("what", "stays"),
    [
        ("interrupted; 2 running calls cut", True),
        ("12 of 100 calls could not start", True),
        ("the embedded stack fell: it said that we open at nine", False),
        ("expectation contains Blue Cafe was never decided: no reply text came", False),
    ],
)
def test_a_reason_stays_where_it_cannot_quote(what: str, stays: bool) -> None:
    shown = redacted_model(Ending(extra=[Reason(code=4, what=InWords(what))]))
    assert str(shown.extra[0].what) == (what if stays else REDACTED)
    assert shown.extra[0].code == 4


def test_what_ran_out_and_faults_of_our_own_keep_kind_and_figure() -> None:
    call = CallResult.model_validate(
        {
            "call": "0001",
            "scenario": "s",
            "started": "",
            "ok": True,
            "self_faults": ["heard against time: 3 s", f"{SECRET}: x"],
            "turns": [
                {
                    "turn": 1,
                    "kind": "say",
                    "text": SECRET,
                    "ran_out": "the machine's CPU: 97 % busy, 0.3 of its cores by us",
                }
            ],
        }
    )
    shown = redacted_model(call)
    assert str(shown.turns[0].ran_out) == "the machine's CPU: 97 % busy, 0.3 of its cores by us"
    assert list(map(str, shown.self_faults)) == [f"heard against time: {REDACTED}", f"{REDACTED}: {REDACTED}"]


def encodable(value: Any) -> Any:
    """The value without lone surrogates, which no file of a run can hold."""
    if isinstance(value, dict):
        return {key: encodable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [encodable(each) for each in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """The sample run as a folder, with timelines and sound."""
    run = sample_run(tmp_path / "run")
    directory = RunDirectory(tmp_path / "run")
    model = {
        "name": "x",
        "turns": [{"say": "when-do-you-open"} for _ in range(4)],
        "session": {"system_prompt": SECRET},
    }
    scenarios = {name: {"model": model | {"name": name}} for name in run.settings.scenarios}
    settings = RunSettings.model_validate(
        json.loads(run.settings.model_dump_json())
        | {
            "scenarios": scenarios,
            "ending": {},
            "command": ["voice-harness", "run", "--set", f"session.prompt={SECRET}"],
        }
    )
    directory.write_settings(settings)
    (directory.path / "timelines").mkdir()
    for call in run.calls:
        directory.timeline(call.call).write_text(f'{{"t": 1, "event": "text", "text": "{SECRET}"}}\n')
        directory.append_call(CallResult.model_validate(encodable(call.model_dump())))
    (directory.path / "truth.jsonl").write_text(SECRET)
    return directory.path


def texts_of(run: RecordedRun) -> set[str]:
    """What was said in a run, by anyone."""
    turns = [turn for call in run.calls for turn in call.turns]
    said = {text for turn in turns for text in (turn.text, turn.transcript, turn.reply)}
    said |= {call.greeting.reply for call in run.calls if call.greeting is not None}
    said |= {seen.what for call in run.calls for seen in call.failures}
    return {text for text in said if len(text) > 8}


def test_a_redacted_copy_has_the_same_verdict_and_numbers_and_nothing_that_was_said(
    recorded: Path, tmp_path: Path
) -> None:
    run = rebuilt(recorded)
    copy = write_redacted(run, tmp_path / "public")
    before, after = run.summary, copy.summary
    assert before is not None
    assert after is not None
    assert (after.verdict, after.exit_code) == (before.verdict, before.exit_code)
    assert (after.calls, after.metrics, after.failures) == (before.calls, before.metrics, before.failures)
    assert after.expectations == before.expectations
    assert [(each.code, each.count) for each in after.reasons[:1]] == [
        (each.code, each.count) for each in before.reasons[:1]
    ]
    assert {call.failure for call in copy.calls} == {call.failure for call in run.calls}
    names = {path.relative_to(copy.folder).as_posix() for path in copy.folder.rglob("*")}
    assert names == {"run.json", "calls.jsonl", "summary.json", "turns.csv", "junit.xml", "report.html"}
    said = texts_of(run)
    assert len(said) > 10
    for path in copy.folder.iterdir():
        content = path.read_text(encoding="utf-8")
        assert [text for text in (*said, SECRET) if text in content or json.dumps(text)[1:-1] in content] == [], (
            path.name
        )


def test_its_reports_can_be_made_again_and_it_cannot_be_measured_again(recorded: Path, tmp_path: Path) -> None:
    run = rebuilt(recorded)
    write_redacted(run, tmp_path / "public")
    page = (tmp_path / "public/report.html").read_text(encoding="utf-8")
    assert rebuild(tmp_path / "public").metrics == rebuild(recorded).metrics
    assert (tmp_path / "public/report.html").read_text(encoding="utf-8") == page
    assert read_run(tmp_path / "public").settings.redacted
    with pytest.raises(ConfigError, match="no timelines"):
        rebuild(tmp_path / "public", remeasure=True)


def test_no_other_run_is_overwritten(recorded: Path) -> None:
    run = rebuilt(recorded)
    with pytest.raises(ConfigError, match="a run is recorded there already"):
        write_redacted(run, recorded)


def test_redacting_twice_changes_nothing(recorded: Path, tmp_path: Path) -> None:
    once = redacted(read_run(recorded), tmp_path)
    assert redacted(once, tmp_path) == once
    assert once.calls[0].definitions == DEFINITIONS
