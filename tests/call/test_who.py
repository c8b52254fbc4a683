"""Who the agent is, of those that are in a room."""

from __future__ import annotations

from harness.call.engines.line import Participant
from harness.call.who import FOLLOWS_NS, PUBLISHES_NS, Person, choose, follower

NOW_NS = 100 * FOLLOWS_NS


def agent(came: int = 0, audio: int | None = None, *, spoken: bool = False, behalf: str | None = None) -> Person:
    return Person(Participant("", "agent", behalf), came, audio, spoken)


def person(came: int = 0, audio: int | None = None, *, spoken: bool = False) -> Person:
    return Person(Participant("", "standard"), came, audio, spoken)


def chosen(
    now_ns: int = NOW_NS, *, current: str | None = None, named: str | None = None, **people: Person
) -> str | None:
    found = choose(people, current=current, named=named, now_ns=now_ns)[0]
    return None if found is None else found.identity


def test_an_agent_with_audio_goes_before_all_others() -> None:
    assert chosen(music=person(0, 1, spoken=True), notes=agent(0), voice=agent(5, 6)) == "voice"
    assert chosen(music=person(0, 1, spoken=True), voice=agent(5, 6), current="music") == "voice"


def test_an_agent_that_came_just_now_may_yet_publish() -> None:
    people = {"music": person(0, 1), "voice": agent(NOW_NS - FOLLOWS_NS + 1)}
    found, again_ns = choose(people, current=None, named=None, now_ns=NOW_NS)
    assert found is not None
    assert (found.identity, again_ns) == ("voice", NOW_NS + 1)


def test_one_without_audio_is_no_agent_where_another_is_heard() -> None:
    assert chosen(notes=agent(0), voice=person(5, 6)) == "voice"


def test_without_anybody_of_kind_agent_it_is_who_publishes_audio() -> None:
    assert chosen(silent=person(0), voice=person(5, 6)) == "voice"
    assert chosen(silent=person(0)) is None


def test_an_avatar_is_its_agents_voice_whoever_was_first() -> None:
    assert chosen(avatar=agent(0, 1, behalf="brain"), brain=agent(5)) == "brain"
    assert chosen(avatar=agent(0, 1, behalf="brain"), brain=agent(5), other=agent(2, 3)) == "brain"
    assert chosen(avatar=agent(0, 1, behalf="brain")) == "avatar"  # its agent is not there yet


def test_of_two_the_one_that_speaks_and_then_the_first_and_it_stays() -> None:
    assert chosen(one=agent(0, 2), two=agent(0, 1)) == "two"
    assert chosen(one=agent(0, 2, spoken=True), two=agent(0, 1)) == "one"
    assert chosen(one=agent(0, 2, spoken=True), two=agent(0, 1, spoken=True), current="one") == "one"
    assert chosen(one=agent(0, 2), two=agent(0, 1, spoken=True), current="one") == "two"


def test_a_named_one_is_the_only_one() -> None:
    assert chosen(voice=agent(0, 1, spoken=True), me=person(5), named="me") == "me"
    assert chosen(voice=agent(0, 1, spoken=True), named="me") is None


def test_another_agent_follows_one_that_left_and_a_person_does_not() -> None:
    left = agent(0, 1)
    assert follower({"music": person(0, 1), "next": agent(5, 6)}, left=left, left_ns=5)[0] is not None
    assert follower({"music": person(0, 1), "notes": agent(0)}, left=left, left_ns=5) == (None, None)


def test_one_that_came_in_time_may_yet_publish() -> None:
    assert follower({"coming": agent(7)}, left=agent(0, 1), left_ns=5) == (None, 7 + PUBLISHES_NS)
    late = agent(5 + FOLLOWS_NS + 1)
    assert follower({"late": late}, left=agent(0, 1), left_ns=5) == (None, None)


def test_one_of_no_kind_is_followed_by_one_that_came_after_it() -> None:
    left = person(5, 6)
    then = follower({"music": person(0, 1), "next": person(8, 9)}, left=left, left_ns=7)[0]
    assert then is not None
    assert then.identity == "next"
