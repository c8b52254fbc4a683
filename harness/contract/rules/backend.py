"""Section 3: the user's own backend route, called as a browser calls it."""

from __future__ import annotations

import re
import unicodedata

from harness.contract.encoded import encoded_in
from harness.contract.evidence import BACKEND, Evidence, Exchange, credentials, shown_in
from harness.contract.registry import Judged, broken, by_request, met, not_tried, register, rule
from harness.contract.rules.judgements import (
    accepted,
    no_key_in,
    refused,
)
from harness.target.backend import WHEN_EMPTY

_NEEDED = ("token", "livekit_url", "room_name")
_TRACES = (
    "Traceback (most recent call last)",  # Python
    "Exception in thread",  # Java
    "panic: ",  # Go, Rust
    "goroutine ",
    "Stack trace:",  # PHP
)
_FRAME = re.compile(r"^\s+at \S+", re.MULTILINE)  # JavaScript, Java, .NET
_MARKUP = re.compile(r"<[!?a-z]", re.IGNORECASE)

register(
    "backend.session",
    3,
    "The body of section 2, without a key, creates a session.",
    by_request("backend.plain", accepted),
    needs=["backend.plain"],
)
register(
    "backend.overrides",
    3,
    "The route takes all overrides.",
    by_request("backend.overrides", accepted),
    needs=["backend.overrides"],
)


@rule("backend.complete", 3, "A 2xx answer has `data.token` and `data.livekit_url`.", needs=["backend.plain"])
def _complete(evidence: Evidence) -> Judged:
    answers = [one for one in evidence.plain(BACKEND) if one.is_2xx]
    if not answers:
        return not_tried("no answer was 2xx")
    for exchange in answers:
        if credentials("", exchange) is None:
            return broken("token or URL is missing", exchange)
    return met(f"{len(answers)} answers")


@rule(
    "backend.data.only", 3, "`data` has only `token`, `livekit_url` and at most `room_name`.", needs=["backend.plain"]
)
def _only(evidence: Evidence) -> Judged:
    answers = [exchange for exchange in evidence.of(BACKEND).values() if exchange.accepted and exchange.data]
    if not answers:
        return not_tried("no session was created")
    for exchange in answers:
        extra = [name for name in exchange.data if name not in _NEEDED]
        if extra:
            return broken(f"a browser does not need {', '.join(extra)}", exchange)
    return met(f"{len(answers)} answers")


register(
    "backend.key.leak.answers", 3, "No success has a key in its body or its token.", no_key_in(BACKEND, errors=False)
)
register("backend.key.leak.errors", 3, "No failure has a key in its body.", no_key_in(BACKEND, errors=True))
register(
    "backend.key.leak.headers", 3, "No answer has a key in its headers.", no_key_in(BACKEND, errors=False, headers=True)
)


@rule(
    "backend.prompt.leak",
    3,
    "A browser gets no system prompt, in the body, the headers or the token.",
    needs=["backend.overrides"],
)
def _prompt(evidence: Evidence) -> Judged:
    for exchange in evidence.of(BACKEND).values():
        for place, text in shown_in(exchange):
            readings = (text, *(read for _, read in encoded_in(text)))
            if any(evidence.prompt in reading for reading in readings) or (
                exchange.accepted and "system_prompt" in text
            ):
                return broken(f"the system prompt is in {place}", exchange)
    return met()


_FAILURES = {
    "unknown_agent": "An unknown agent is a failure: the status is not 2xx.",
    "missing_agent": "A body without `agent` is a failure: the status is not 2xx.",
    "type": "An `agent` that is not a string is a failure: the status is not 2xx.",
    "json": "A body that is not JSON is a failure: the status is not 2xx.",
}


def _failed(exchange: Exchange) -> Judged:
    if exchange.is_2xx:
        return broken("the status of a failure is 2xx", exchange)
    if exchange.status is not None and exchange.status >= 500:
        return met(f"{exchange.status}")  # the contract asks for no more than a status that is not 2xx
    return refused(exchange)


for _name, _sentence in _FAILURES.items():
    register(
        f"backend.failure.{_name}",
        3,
        _sentence,
        by_request(f"backend.failure.{_name}", _failed),
        needs=[f"backend.failure.{_name}"],
    )


@rule("backend.failure.text", 3, "The body of a failure is a plain text that a person can read, or empty.")
def _readable(evidence: Evidence) -> Judged:
    failures = [
        one
        for name, one in evidence.of(BACKEND).items()
        if name.startswith("backend.failure.") and one.status is not None and not one.is_2xx
    ]
    if not failures:
        return not_tried("nothing failed")
    for exchange in failures:
        problem = _unreadable(exchange)
        if problem:
            return broken(problem, exchange)
    empty = any(not exchange.text.strip() for exchange in failures)
    return met(f"an empty one is shown as: {WHEN_EMPTY}" if empty else f"{len(failures)} failures")


def _unreadable(exchange: Exchange) -> str:
    text = exchange.text.strip()
    if text[:1] in ("{", "[") or exchange.content_type.endswith("json"):
        return "it is JSON, not a plain text"
    if _MARKUP.match(text) or exchange.content_type in ("text/html", "application/xml", "text/xml"):
        return "it is HTML or XML, not a plain text"
    if any(trace in text for trace in _TRACES) or _FRAME.search(text):
        return "it is a trace of the program, not a text for a person"
    if any(unicodedata.category(char) == "Cc" and char not in "\r\n\t" for char in text):
        return "it has control characters"
    if "\N{REPLACEMENT CHARACTER}" in text:
        return "it is not UTF-8"
    return ""
