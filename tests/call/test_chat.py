"""Echo, transcript, reply or junk: what a frame on voice.reply is."""

from __future__ import annotations

import json

import pytest

from harness.call.chat import Chat, ChatText, Junk, outgoing


def frame(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_the_first_equal_text_sent_and_not_yet_echoed_is_the_echo() -> None:
    chat = Chat()
    chat.sent(" Hello ")
    chat.sent("Bye")
    chat.sent("Hello")
    roles = []
    for text in ("Bye", "Hello", "Bye", " Hello ", "Hello"):
        received = chat.received(frame(type="user_text", text=text))
        assert isinstance(received, ChatText)
        roles.append(received.role)
    assert roles == ["echo", "echo", "transcript", "echo", "transcript"]


def test_a_text_from_the_user_before_anything_was_sent_is_a_transcript() -> None:
    assert Chat().received(frame(type="user_text", text=" Hi ")) == ChatText("transcript", "Hi", "user_text", " Hi ")


@pytest.mark.parametrize(
    "fields", [{"text": " At nine. "}, {"message": "At nine."}, {"text": None, "message": "At nine."}]
)
def test_every_other_type_is_the_agents_reply_by_text_or_message(fields: dict[str, object]) -> None:
    received = Chat().received(frame(type="anything", **fields))
    assert isinstance(received, ChatText)
    assert (received.role, received.text, received.type) == ("reply", "At nine.", "anything")


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"hello", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b'{"type": "reply", "text": "caf\xe9"}', "not UTF-8"),
        (b"\xff\xfe", "not UTF-8"),
        (b"null", "not a JSON object"),
        (b"[1]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"text": "x"}', "without a type"),
        (b'{"type": 7, "text": "x"}', "without a type"),
        (b'{"type": "reply"}', "without a text"),
        (b'{"type": "reply", "text": 7}', "without a text"),
        (b'{"type": "reply", "text": ["x"], "message": {}}', "without a text"),
        (b'{"type": "reply", "text": " \\n\\t "}', "empty text"),
    ],
)
def test_junk_is_ignored_and_says_why(payload: bytes, why: str) -> None:
    received = Chat().received(payload)
    assert isinstance(received, Junk)
    assert received.why == why


@pytest.mark.parametrize(
    "echoed",
    [
        "Caf\u00e9 \u2013 nine\u2011thirty?",
        "Cafe\u0301 - nine-thirty?",
        "Caf\u00e9\r\n-  nine-thirty?\u200b",
        "\ufeffCaf\u00e9 \u2014 nine-\u00adthirty?",
    ],
)
def test_what_no_reader_tells_apart_is_still_the_echo(echoed: str) -> None:
    chat = Chat()
    chat.sent("Caf\u00e9 - nine-thirty?")
    roles = [chat.received(frame(type="user_text", text=text)) for text in (echoed, echoed)]
    assert [received.role for received in roles if isinstance(received, ChatText)] == ["echo", "transcript"]


def test_another_text_is_no_echo_however_alike() -> None:
    chat = Chat()
    chat.sent("re-sign it")
    for other in ("resign it", "Re-sign it", "re sign it"):
        received = chat.received(frame(type="user_text", text=other))
        assert isinstance(received, ChatText)
        assert received.role == "transcript", other


def test_a_text_that_nobody_can_see_is_empty() -> None:
    assert isinstance(Chat().received(frame(type="reply", text="\u200b\ufeff")), Junk)


def test_a_typed_text_goes_out_trimmed_and_in_utf_8() -> None:
    assert outgoing("  Café? ") == '{"type": "user_text", "text": "Café?"}'.encode()
