"""Which turn each text belongs to."""

from __future__ import annotations

from tests.measure.timelines import CallMade


def test_reply_text_belongs_to_the_turn_before_until_the_turns_caller_has_ended() -> None:
    call = CallMade().text(700, "reply", "Hello, this is the cafe.")
    call.say(3000, 5000, 9000).text(4000, "reply", "How can I help?").text(5300, "reply", "At nine.")
    call.say(9200, 10_000, 14_000).text(9900, "reply", "Every day.").text(10_400, "reply", "Yes.")
    measured = call.hung_up(14_100).measured()
    assert measured.greeting is not None
    assert measured.greeting.reply == "Hello, this is the cafe. How can I help?"
    assert [turn.reply for turn in measured.turns] == ["At nine. Every day.", "Yes."]
    assert [turn.reply_text_ms for turn in measured.turns] == [300, 400], (
        "the first reply frame is the one that is timed"
    )


def test_texts_are_taken_in_until_the_hang_up() -> None:
    call = CallMade().say(3000, 5000, 8000).text(8400, "reply", "At nine.").text(8500, "transcript", "When?")
    turn = call.hung_up(9000).measured().turns[0]
    assert (turn.reply, turn.reply_text_ms, turn.transcript, turn.transcript_ms) == ("At nine.", 3400, "When?", 3500)


def test_a_transcript_belongs_to_the_latest_spoken_turn_and_its_last_frame_is_timed() -> None:
    call = CallMade().say(3000, 5000, 7000).text(5200, "transcript", "When do").text(5600, "transcript", "you open?")
    call.type(7200, 9000).text(7300, "transcript", "Indeed.")
    measured = call.hung_up(9100).measured()
    assert measured.turns[0].transcript == "When do you open? Indeed."
    assert measured.turns[0].transcript_ms == 2300
    assert measured.turns[1].transcript == ""


def test_an_echo_belongs_to_the_turn_whose_text_it_repeats() -> None:
    call = CallMade().type(3000, 5000, text="One").type(5200, 7000, text=" Two ").type(7200, 9000, text="One")
    call.text(5250, "echo", "Two").text(5300, "echo", "One").text(7500, "echo", "One")
    measured = call.hung_up(9100).measured()
    assert [turn.echo_ms for turn in measured.turns] == [2300, 50, 300]
    assert measured.stray_texts == 0


def test_texts_of_no_turn_are_counted_and_noted() -> None:
    call = CallMade().text(600, "transcript", "What?").type(3000, 5000).text(3100, "transcript", "Hm.")
    measured = call.text(3200, "echo", "Something else").hung_up(5100).measured()
    assert measured.stray_texts == 3
    assert any("3 texts" in note for note in measured.notes)
    assert measured.turns[0].echo_ms is None


def test_words_are_compared_as_whisper_compares_them() -> None:
    call = CallMade().say(3000, 5000, 7000, text="It's nine o'clock!").text(5500, "transcript", "it is 9 o'clock")
    turn = call.hung_up(7100).measured().turns[0]
    assert turn.wer == 0
    assert turn.wer_pair is not None


def test_a_cough_has_no_word_error_rate_and_a_missing_transcript_none_either() -> None:
    call = CallMade().say(3000, 3400, 5000, text="").text(3700, "transcript", "Thanks.")
    call.say(6000, 7000, 9000)
    measured = call.hung_up(9100).measured()
    assert [turn.wer for turn in measured.turns] == [None, None]
