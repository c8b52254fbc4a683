"""Judgements that several groups of rules share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from harness.contract.encoded import encoded_in
from harness.contract.evidence import Evidence, Exchange, Service, credentials, shown_in
from harness.contract.registry import Judge, Judged, broken, met, not_tried
from harness.secret import SURE_KEY, TOKEN_LIKE
from harness.target.endpoint import is_loopback

TOO_MANY = 429


def refused(exchange: Exchange, statuses: Collection[int] = ()) -> Judged:
    """Met if the service refused the request, with one of `statuses` if there are any."""
    if exchange.status is None:
        return broken("no answer came", exchange)
    if exchange.status == TOO_MANY:
        return not_tried("the service answered 429, too many requests")
    if exchange.is_redirect:
        return broken("a redirect came instead of a refusal", exchange)
    if exchange.accepted:
        return broken("it was accepted", exchange)
    if exchange.status >= 500:
        return broken("the service failed instead of refusing it", exchange)
    if statuses and exchange.status not in statuses:
        return broken(f"the status is not {' or '.join(map(str, statuses))}", exchange)
    return met(f"{exchange.status}")


def refused_with(*statuses: int) -> Callable[[Exchange], Judged]:
    """`refused` with these statuses."""
    return lambda exchange: refused(exchange, statuses)


def accepted(exchange: Exchange) -> Judged:
    """Met if the answer has credentials."""
    if exchange.status is None:
        return broken("no answer came", exchange)
    if exchange.status == TOO_MANY:
        return not_tried("the service answered 429, too many requests")
    if not exchange.accepted:
        return broken("it was refused", exchange)
    if exchange.content is None:
        return broken("the body is not a JSON object", exchange)
    return met(f"{exchange.status}")


def creates_nothing(exchange: Exchange) -> Judged:
    """Met if the answer has no credentials."""
    if credentials("", exchange) is not None:
        return broken("it created a session", exchange)
    return met(exchange.came if exchange.status is None else f"{exchange.status}")


def no_redirect(service: Service) -> Judge:
    """Met if no answer at the URL as written is a redirect."""

    def judge(evidence: Evidence) -> Judged:
        for name, exchange in evidence.of(service).items():
            if exchange.is_redirect and not name.endswith(".slash"):
                return broken("the URL as written is redirected", exchange)
        return met()

    return judge


def slash(service: Service) -> Judge:
    """Met if the URL with the other ending is answered by 301 or not at all."""

    def judge(evidence: Evidence) -> Judged:
        exchange = evidence.exchanges[f"{service}.slash"]
        if exchange.is_redirect:
            here, there = urlsplit(evidence.urls[service]), urlsplit(exchange.header("Location"))
            if there.netloc and there.netloc != here.netloc:
                return broken("the other ending redirects to another host, which would get the key", exchange)
            if here.scheme == "https" and there.scheme == "http":
                return broken("the other ending redirects to http://, where all can read the key", exchange)
        if exchange.status in (301, 308, 404):
            return met(f"{exchange.status}")
        return broken("the URL with the other ending should answer 301 or 404", exchange)

    return judge


def found_key(evidence: Evidence, exchange: Exchange, *, headers: bool) -> str:
    """Where in an answer's headers, or in its body and token, a key is, in whatever form; empty if nowhere."""
    for place, text in shown_in(exchange):
        if place.startswith("the header") != headers:
            continue
        if name := evidence.key_in(text):
            return f"{name} is in {place}"
        readings = [read for _, read in encoded_in(text)]
        if name := next(filter(None, map(evidence.key_in, readings)), ""):
            return f"{name} is in {place}, encoded"
        if any(SURE_KEY.search(_without_known(reading, evidence)) for reading in (text, *readings)):
            return f"something that looks like an API key is in {place}"
    return ""


def _without_known(text: str, evidence: Evidence) -> str:
    for key in evidence.keys.values():
        text = key.scrub(text)
    return TOKEN_LIKE.sub("", text)  # its random letters may look like a key


def no_key_in(service: Service, *, errors: bool, headers: bool = False) -> Judge:
    """Met if no key is in the answers: in the refusals if `errors`, else in the others."""

    def judge(evidence: Evidence) -> Judged:
        answers = [one for one in evidence.of(service).values() if one.status is not None]
        looked = [one for one in answers if headers or one.accepted != errors]
        if not looked:
            return not_tried("no such answer came")
        for exchange in looked:
            place = found_key(evidence, exchange, headers=headers)
            if place:
                return broken(place, exchange)
        return met(f"{len(looked)} answers")

    return judge


def unique(
    service: Service, what: str, of: Callable[[Evidence, Service | None], list[str]], *, everywhere: bool = False
) -> Judge:
    """Met if no value that `of` returns for the service is there twice; if `everywhere`, nor with the other service."""

    def judge(evidence: Evidence) -> Judged:
        values = of(evidence, service)
        known = of(evidence, None) if everywhere else values
        if len(values) < 2:
            return not_tried("fewer than two sessions had one")
        doubled = next((value for value in values if known.count(value) > 1), None)
        if doubled is None:
            return met(f"{len(values)} sessions")
        exchange = evidence.exchanges[f"{service}.again"]
        return broken(f"two sessions have the same {what}, {doubled}", exchange)

    return judge


def rooms(evidence: Evidence, service: Service | None) -> list[str]:
    """The rooms of a service's sessions, or of all, by the answers or else by the tokens; each with its server."""
    found = [(one.livekit_url, one.room_name or one.grants.get("room")) for one in evidence.granted(service)]
    return [f"{room} at {url}" for url, room in found if isinstance(room, str)]


def identities(evidence: Evidence, service: Service | None) -> list[str]:
    """The identities in the tokens of a service's sessions, or of all."""
    found = [(granted.claims or {}).get("sub") for granted in evidence.granted(service)]
    return [identity for identity in found if isinstance(identity, str)]


def livekit_url(service: Service) -> Judge:
    """Met if each session's URL is `wss://`, or `ws://` on loopback."""

    def judge(evidence: Evidence) -> Judged:
        granted = evidence.granted(service)
        if not granted:
            return not_tried("no session was created")
        for one in granted:
            problem = _url_problem(one.livekit_url)
            if problem:
                return broken(problem, evidence.exchanges[one.probe])
        return met()

    return judge


def _url_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, here = parts.hostname, is_loopback(url)
    except ValueError:
        return "livekit_url is not a URL"
    if not host or parts.scheme not in ("ws", "wss"):
        return "livekit_url is not a ws:// or wss:// URL"
    if parts.scheme == "ws" and not here:
        return "livekit_url is not encrypted: ws:// is for loopback only"
    return ""


def foreign_origin(service: Service) -> Judge:
    """Met if neither the preflight of a foreign site nor its request is answered with a permission to read."""

    def judge(evidence: Evidence) -> Judged:
        for probe in ("cors", "cors.post"):
            exchange = evidence.exchanges[f"{service}.{probe}"]
            allowed = exchange.header("Access-Control-Allow-Origin")
            if allowed:
                why = f"pages of any other site may read the answers (Access-Control-Allow-Origin: {allowed})"
                return broken(why, exchange)
        return met("no site is allowed")

    return judge
