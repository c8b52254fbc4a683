"""Checks services against the contract: gathers the evidence, judges every rule, and masks what is shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from harness.clock import Clock
from harness.contract.evidence import Evidence, Service, credentials
from harness.contract.gather import GREETING, READ_ONLY, WITH_GREETING, Asked, gather, new_evidence, to_join
from harness.contract.registry import Level, Outcome, Rule
from harness.contract.rules import TABLE
from harness.contract.wire import Wire
from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_OK
from harness.scenario.timeouts import CallTimeouts
from harness.secret import Secret
from harness.target.shown import shown_text, shown_url

EXCERPT_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule and what came of it, fit to be shown.

    Attributes:
        id: The rule's name.
        section: The section of the contract.
        sentence: What must hold.
        level: `rule` or `advice`.
        outcome: What came of it.
        why: What was found, or why it was not tried.
        sent: What was sent, where the rule does not hold; secrets are masked.
        came: What came, where the rule does not hold; secrets are masked.
    """

    id: str
    section: int
    sentence: str
    level: Level
    outcome: Outcome
    why: str = ""
    sent: str = ""
    came: str = ""


@dataclass(frozen=True)
class Checked:
    """The result of a check.

    Attributes:
        agent: The agent.
        urls: The URLs of the services that were checked, fit to be shown.
        unreached: Why a service was not reached, by service.
        findings: All rules, in the order of the table.
    """

    agent: str
    urls: dict[Service, str]
    unreached: dict[Service, str]
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[Outcome, int]:
        """The number of rules by outcome."""
        found = Counter(finding.outcome for finding in self.findings)
        return {outcome: found[outcome] for outcome in ("met", "broken", "not_tried", "advice")}

    @property
    def exit_code(self) -> int:
        """3 if a service was not reached, 1 if a rule is broken, otherwise 0."""
        if self.unreached:
            return EXIT_INFRASTRUCTURE
        return EXIT_AGENT if self.counts["broken"] else EXIT_OK


def judge(evidence: Evidence) -> Checked:
    """Judges every rule by the evidence. Pure."""
    secrets = evidence.secrets()
    unreached = {
        service: shown_text(next(iter(evidence.of(service).values())).problem, limit=EXCERPT_LIMIT, secrets=secrets)
        for service in evidence.unreached()
    }
    findings = tuple(_finding(rule, evidence, secrets, unreached) for rule in TABLE)
    urls = {service: shown_url(url, secrets=secrets) for service, url in evidence.urls.items()}
    return Checked(shown_text(evidence.agent, limit=80, secrets=secrets), urls, unreached, findings)


def _finding(rule: Rule, evidence: Evidence, secrets: list[Secret], unreached: dict[Service, str]) -> Finding:
    service = next((name for name in unreached if rule.id.startswith(f"{name}.")), None)
    if service is not None:
        return Finding(
            rule.id, rule.section, rule.sentence, rule.level, "not_tried", f"not reached: {unreached[service]}"
        )
    judged = rule.judged(evidence)

    def shown(text: str) -> str:
        return shown_text(text, limit=EXCERPT_LIMIT, secrets=secrets)

    return Finding(
        rule.id,
        rule.section,
        rule.sentence,
        rule.level,
        judged.outcome,
        shown(judged.why),
        shown(judged.sent),
        shown(judged.came),
    )


async def check(asked: Asked, clock: Clock, *, engine: str | None) -> Checked:
    """Checks the services.

    Args:
        asked: What is checked.
        clock: Time source.
        engine: What joins the room, `sdk` or `light`; None to join none.

    Raises:
        ConfigError: A proxy is not supported, or a library of the engine has an unknown version.
        UsageError: There is no such engine.
    """
    timeouts = CallTimeouts()
    limits = {name: getattr(timeouts, name) for name in ("session", "connect", "agent_join", "greeting", "reply")}
    limits |= {name: value for name, value in asked.timeouts.items() if name in limits}
    evidence = new_evidence(asked, clock.utc().timestamp())
    async with Wire(clock, timeout_s=limits["session"]) as wire:
        await gather(asked, evidence, wire)
    if asked.read_only:
        evidence.no_room = READ_ONLY
    elif engine is None:
        evidence.no_room = "no room is joined (--no-room)"
    else:
        await _join(asked, evidence, clock, engine, limits)
    return judge(evidence)


async def _join(asked: Asked, evidence: Evidence, clock: Clock, engine: str, limits: dict[str, float]) -> None:
    probe = to_join(evidence)
    granted = None if probe is None else credentials(probe, evidence.exchanges[probe])
    if granted is None:
        return
    from harness.call.engines.make import engine_name, make_engine
    from harness.contract.stay import stay

    made = await make_engine(engine_name(engine), clock)
    # A greeting that the service has to synthesise first takes longer than an agent's own.
    limits = limits | {"greeting": max(limits["greeting"], 10.0)}
    seen = await stay(made, granted, clock, timeouts=limits, agent_identity=asked.agent_identity)
    evidence.room = replace(seen, greeting=GREETING if probe in WITH_GREETING else "")
