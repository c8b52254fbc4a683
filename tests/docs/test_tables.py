"""Tables of the documentation that are made from the code: `pytest tests/docs --update-golden` writes them anew."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.contract.rules import TABLE
from harness.doctor.registry import CHECKS
from harness.metrics.metric import CallMetric, Metric, TurnMetric
from harness.metrics.registry import METRICS
from harness.telemetry.families import FAMILIES, Family
from harness.telemetry.span_kinds import KINDS
from harness.timeline.codec import fields_of
from harness.timeline.events import EVENTS, Event
from tests.golden import Golden

DOCS = Path(__file__).parents[2] / "docs"


def with_table(page: Path, name: str, table: str) -> str:
    """The page with that table between its two marks."""
    text = page.read_text(encoding="utf-8")
    marked = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end of table -->\n)", re.DOTALL)
    assert marked.search(text), f"{page.name} has no place for the table {name}"
    return marked.sub(lambda marks: f"{marks[1]}{table}{marks[2]}", text)


def event_rows() -> Iterator[str]:
    yield "| event | | fields |"
    yield "|---|---|---|"
    for name, kind in EVENTS.items():
        yield f"| `{name}` | {meaning(kind)} | {', '.join(fields(kind))} |"


def meaning(kind: type[Event]) -> str:
    said = (kind.__doc__ or "").partition("\n")[0].rstrip(".")
    return said[:1].lower() + said[1:]


def fields(kind: type[Event]) -> Iterator[str]:
    for field in fields_of(kind):
        yield f"`{field.name}`" + (f" ({field.note})" if field.note else "") + ("*" if field.left_out else "")


def test_the_table_of_events_is_what_is_written_and_read(golden: Golden) -> None:
    page = DOCS / "run-directory.md"
    golden.check(page, with_table(page, "events", "\n".join(event_rows()) + "\n"))


def metric_rows(metrics: list[Metric]) -> Iterator[str]:
    of_turns = all(isinstance(metric, TurnMetric) for metric in metrics)
    yield f"| metric | unit | what it is | {'kinds | ' if of_turns else ''}left out where | definition since |"
    yield f"|---|---|---|{'---|' if of_turns else ''}---|---|"
    for metric in metrics:
        unit = "share" if metric.is_rate else metric.unit
        cells = [f"`{metric.name}`", unit, metric.definition, *([kinds(metric)] if of_turns else [])]
        yield f"| {' | '.join([*cells, metric.left_out, str(metric.since)])} |"


def kinds(metric: Metric) -> str:
    found = metric.kinds if isinstance(metric, TurnMetric) else ()
    named = {("say", "type", "barge_in"): "all", ("say", "barge_in"): "spoken", ("type",): "typed"}
    return named.get(found, ", ".join(f"`{kind}`" for kind in found))


def is_of_audio(metric: Metric) -> bool:
    return isinstance(metric, CallMetric) and metric.of_audio


def is_of_set_up(metric: Metric) -> bool:
    return isinstance(metric, CallMetric) and metric.unit == "ms" and not metric.of_audio


def is_of_turns(metric: Metric) -> bool:
    return isinstance(metric, TurnMetric) and not metric.always_fit


def is_of_the_verdict(metric: Metric) -> bool:
    return metric.name.startswith(("harness.", "calls.", "expectations.", "turns."))


METRIC_TABLES: dict[str, Callable[[Metric], bool]] = {
    "metrics of setting up": is_of_set_up,
    "metrics of turns": is_of_turns,
    "metrics of audio": is_of_audio,
    "metrics of the harness and the verdict": is_of_the_verdict,
}


@pytest.mark.parametrize("name", METRIC_TABLES)
def test_the_tables_of_metrics_are_the_registry(golden: Golden, name: str) -> None:
    metrics = [metric for metric in METRICS.values() if METRIC_TABLES[name](metric)]
    page = DOCS / "metrics.md"
    golden.check(page, with_table(page, name, "\n".join(metric_rows(metrics)) + "\n"))


def test_each_metric_is_in_one_table() -> None:
    for metric in METRICS.values():
        assert sum(is_in(metric) for is_in in METRIC_TABLES.values()) == 1, metric.name


def rule_rows() -> Iterator[str]:
    yield "| rule | section | | |"
    yield "|---|---|---|---|"
    for rule in TABLE:
        yield f"| `{rule.id}` | {rule.section} | {rule.sentence} | {'advice' if rule.level == 'advice' else ''} |"


def test_the_table_of_the_contracts_rules_is_the_registry(golden: Golden) -> None:
    page = DOCS / "contract-check.md"
    golden.check(page, with_table(page, "rules of the contract", "\n".join(rule_rows()) + "\n"))


def test_the_architecture_tells_of_each_room_in_the_order_of_the_layers() -> None:
    root = DOCS.parent
    told = re.findall(r"^\| `harness/(\w+)/` \|", (root / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.MULTILINE)
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contract, _ = settings["tool"]["importlinter"]["contracts"]
    layers = [name.strip() for layer in contract["layers"] for name in re.split(r"[|:]", layer)]
    rooms = [name for name in layers if (root / "harness" / name).is_dir()]
    assert told == rooms


def check_rows() -> Iterator[str]:
    yield "| check | what it does to a measurement | when it is a risk or missing |"
    yield "|---|---|---|"
    for check in CHECKS:
        yield f"| {check.name} | {check.effect} | {check.limit} |"


def test_the_table_of_checks_is_what_doctor_checks(golden: Golden) -> None:
    page = DOCS / "doctor.md"
    golden.check(page, with_table(page, "checks of doctor", "\n".join(check_rows()) + "\n"))


def family_rows(families: list[Family]) -> Iterator[str]:
    of_registry = any(family.of for family in families)
    yield f"| name | {'metric | ' if of_registry else ''}type | labels | what it is |"
    yield f"|---|{'---|' if of_registry else ''}---|---|---|"
    for family in families:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        of = [f"`{family.of}`"] if of_registry else []
        yield f"| {' | '.join([f'`{family.name}`', *of, family.kind, labels, family.meaning])} |"


@pytest.mark.parametrize(("name", "is_of_registry"), [("exposed of the run", False), ("exposed of the registry", True)])
def test_the_tables_of_what_prometheus_gets_are_what_is_exposed(
    golden: Golden, name: str, is_of_registry: bool
) -> None:
    families = [family for family in FAMILIES.values() if bool(family.of) == is_of_registry]
    page = DOCS / "telemetry.md"
    golden.check(page, with_table(page, name, "\n".join(family_rows(families)) + "\n"))


def span_rows() -> Iterator[str]:
    yield "| span | inside of | from → to | attributes | events |"
    yield "|---|---|---|---|---|"
    for kind in KINDS:
        named = (", ".join(f"`{name}`" for name in names) for names in (kind.attributes, kind.events))
        parent = ", ".join(f"`{name}`" for name in kind.parent.split(", ") if name)
        yield f"| {' | '.join([f'`{kind.name}`', parent, kind.covers, *named])} |"


def test_the_table_of_spans_is_what_is_sent(golden: Golden) -> None:
    page = DOCS / "telemetry.md"
    golden.check(page, with_table(page, "spans", "\n".join(span_rows()) + "\n"))
