"""Sections 1 and 2: creating a session, server to server."""

from __future__ import annotations

from harness.contract.evidence import SESSION, Evidence, Exchange
from harness.contract.registry import Judged, broken, by_request, met, not_tried, register, rule
from harness.contract.rules.judgements import (
    accepted,
    identities,
    no_key_in,
    refused,
    refused_with,
    unique,
)
from harness.target.session import OVERRIDES

_KEY_WORDS = ("key", "credential", "auth")
_DATA = ("token", "livekit_url", "room_name")

for _probe, _what in (
    ("missing", "A request without a key"),
    ("wrong", "A request with a wrong key"),
    ("near", "A request with a key that is wrong in its last character only"),
    ("case", "A request with the key in the other case"),
    ("revoked", "A request with a revoked key"),
):
    register(
        f"session.key.{_probe}",
        2,
        f"{_what} is refused with 401 or 403.",
        by_request(f"session.key.{_probe}", refused_with(401, 403)),
        needs=[f"session.key.{_probe}"],
    )


@rule(
    "session.key.words",
    2,
    "The refusal of a missing, wrong or revoked key says that it is about the key.",
    needs=["session.key.missing", "session.key.wrong"],
    level="advice",
)
def _key_words(evidence: Evidence) -> Judged:
    for probe in ("session.key.missing", "session.key.wrong", "session.key.revoked"):
        exchange = evidence.exchanges.get(probe)
        if exchange is not None and not any(word in exchange.text.lower() for word in _KEY_WORDS):
            return broken("the answer names neither key, credentials nor authentication", exchange)
    return met()


register("session.key.leak.errors", 1, "No refusal repeats a key in its body.", no_key_in(SESSION, errors=True))
register(
    "session.key.leak.answers",
    1,
    "No success has a key in its body or in its token.",
    no_key_in(SESSION, errors=False),
    needs=["session.plain"],
)
register(
    "session.key.leak.headers",
    1,
    "No answer has a key in its headers.",
    no_key_in(SESSION, errors=False, headers=True),
)

for _probe, _sentence in (
    ("agent.missing", "A body without `agent` is refused."),
    ("agent.unknown", "An unknown agent is refused."),
    *(
        (f"type.{name}", f"{'An' if name == 'agent' else 'A'} `{name}` that is not a string is refused.")
        for name in ("agent", *OVERRIDES)
    ),
    ("body.json", "A body that is not JSON is refused."),
    ("body.object", "A body that is not an object is refused."),
    ("content_type", "A body that is declared and written as a form is refused."),
):
    register(
        f"session.{_probe}",
        2,
        _sentence,
        by_request(f"session.{_probe}", refused),
        needs=[f"session.{_probe}"],
    )


def _advised(status: int, probe: str) -> None:
    def judge(exchange: Exchange) -> Judged:
        return met() if exchange.status == status else broken(f"the status should be {status}", exchange)

    words = {405: "A GET is answered 405.", 415: "A form is answered 415.", 404: "An unknown agent is answered 404."}
    register(
        f"session.{probe}.status",
        2,
        words[status],
        by_request(f"session.{probe}", judge),
        needs=[f"session.{probe}"],
        level="advice",
    )


_advised(404, "agent.unknown")
_advised(415, "content_type")
_advised(405, "method")


@rule("session.errors.form", 2, "A refusal is JSON: `success` false and a `message`.", level="advice")
def _errors_form(evidence: Evidence) -> Judged:
    refusals = [one for one in evidence.plain(SESSION) if one.status is not None and 400 <= one.status < 500]
    if not refusals:
        return not_tried("nothing was refused")
    for exchange in refusals:
        content = exchange.content or {}
        if content.get("success") is not False or not isinstance(content.get("message"), str):
            return broken("a refusal should be {success: false, message: …}", exchange)
    return met(f"{len(refusals)} refusals")


register(
    "session.override.none",
    2,
    "A body with nothing but `agent` creates a session.",
    by_request("session.plain", accepted),
    needs=["session.plain"],
)
for _name in OVERRIDES:
    register(
        f"session.override.{_name}",
        2,
        f"`{_name}` as the only override is accepted.",
        by_request(f"session.override.{_name}", accepted),
        needs=[f"session.override.{_name}"],
    )
register(
    "session.override.all",
    2,
    "All overrides at once are accepted.",
    by_request("session.override.all", accepted),
    needs=["session.override.all"],
)


@rule(
    "session.success.form",
    2,
    "A success has `success` true, a `message`, and the texts `data.token`, `data.livekit_url`, `data.room_name`.",
    needs=["session.plain"],
)
def _success_form(evidence: Evidence) -> Judged:
    successes = [one for one in evidence.of(SESSION).values() if one.accepted and one.content is not None]
    if not successes:
        return not_tried("no session was created")
    for exchange in successes:
        content = exchange.content or {}
        if content.get("success") is not True:
            return broken("`success` is not true", exchange)
        if not isinstance(content.get("message"), str):
            return broken("`message` is not a text", exchange)
        for name in _DATA:
            if not isinstance(exchange.data.get(name), str) or not exchange.data[name]:
                return broken(f"`data.{name}` is missing or not a text", exchange)
    return met(f"{len(successes)} sessions")


@rule("session.success.extra", 2, "A success has no other fields.", needs=["session.plain"], level="advice")
def _success_extra(evidence: Evidence) -> Judged:
    exchange = evidence.exchanges["session.plain"]
    if not exchange.accepted:
        return not_tried("no session was created")
    extra = [name for name in exchange.content or {} if name not in ("success", "message", "data")]
    extra += [f"data.{name}" for name in exchange.data if name not in _DATA]
    return broken(f"there are other fields: {', '.join(extra)}", exchange) if extra else met()


@rule(
    "session.success.words",
    2,
    "The `message` of a success is `Request successful`.",
    needs=["session.plain"],
    level="advice",
)
def _success_words(evidence: Evidence) -> Judged:
    exchange = evidence.exchanges["session.plain"]
    if not exchange.accepted:
        return not_tried("no session was created")
    said = (exchange.content or {}).get("message")
    return met() if said == "Request successful" else broken("the message is another", exchange)


register(
    "session.identity.unique",
    2,
    "Two sessions have different identities.",
    unique(SESSION, "identity", identities),
    needs=["session.plain", "session.again"],
    level="advice",
)
