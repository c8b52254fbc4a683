from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from harness.record.ran_out import RanOut
from harness.record.result import CallResult
from harness.record.unfit import Unfit
from harness.report.turns_csv import render_turns_csv
from tests.report.sample_run import HOSTILE, good_call, hostile_call, no_reply_call, sample_run


def rows_of(calls: list[CallResult]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_turns_csv(calls))))


def test_first_columns_are_the_documented_ones(tmp_path: Path) -> None:
    head = render_turns_csv(sample_run(tmp_path).calls).splitlines()[0]
    assert head.startswith("call,scenario,turn,kind,ttfa_ms,transcript_ms,echo_ms,reply_text_ms,wer,fit,")


def test_a_run_without_calls_has_its_head_only() -> None:
    assert render_turns_csv([]).count("\n") == 1


def test_each_turn_is_a_row_with_its_numbers() -> None:
    said, typed, barge_in = rows_of([good_call("0007")])
    assert [row["call"] for row in (said, typed, barge_in)] == ["0007"] * 3
    assert [row["turn"] for row in (said, typed, barge_in)] == ["1", "2", "3"]
    assert (said["kind"], said["ttfa_ms"], said["transcript_ms"], said["wer"]) == ("say", "1103.4", "640.2", "0")
    assert (typed["kind"], typed["ttfa_ms"], typed["echo_ms"], typed["reply_text_ms"]) == ("type", "812", "9.4", "205")
    assert (barge_in["kind"], barge_in["stop_ms"], barge_in["exercised"]) == ("barge_in", "412", "true")
    assert barge_in["wer"] == "0.1667"
    assert said["reply"] == "We open at nine on Saturdays."


def test_a_value_that_does_not_exist_is_an_empty_cell() -> None:
    said, typed, _ = rows_of([good_call("0001")])
    assert said["echo_ms"] == "" == said["exercised"] == said["failure"]
    assert typed["wer"] == "" == typed["transcript_ms"] == typed["transcript"]


def test_a_turn_that_failed_keeps_its_row_and_names_the_kind() -> None:
    (row,) = rows_of([no_reply_call("0003")])
    assert (row["ttfa_ms"], row["failure"], row["fit"]) == ("", "agent.no_reply", "true")


def test_fit_is_false_where_the_harness_was_late() -> None:
    assert [row["fit"] for row in rows_of([hostile_call("0002")])] == ["false", "true", "true"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n", "＝"])  # noqa: RUF001 - the wide form is meant
def test_a_text_that_a_spreadsheet_would_run_is_defused(start: str) -> None:
    call = good_call("0001")
    call.turns[0].reply = f"{start}HYPERLINK(1)"
    assert rows_of([call])[0]["reply"] == f"'{start}HYPERLINK(1)"


def test_numbers_are_not_defused() -> None:
    call = good_call("0001")
    call.turns[0].transcript_ms = -12.5
    assert rows_of([call])[0]["transcript_ms"] == "-12.5"


def test_a_number_that_is_none_is_an_empty_cell() -> None:
    call = good_call("0001")
    call.turns[0].ttfa_ms = float("nan")
    assert rows_of([call])[0]["ttfa_ms"] == ""


def test_texts_with_commas_quotes_and_line_ends_stay_one_cell() -> None:
    call = good_call("0001")
    call.turns[0].reply = 'Nine, he said: "nine"\r\nand not ten'
    text = render_turns_csv([call])
    assert "\r" not in text
    assert next(csv.DictReader(io.StringIO(text)))["reply"] == 'Nine, he said: "nine"\nand not ten'


def test_what_utf8_and_terminals_cannot_bear_is_replaced() -> None:
    call = good_call("0001")
    call.turns[0].reply = HOSTILE
    text = render_turns_csv([call])
    text.encode("utf-8")
    assert not {"\x00", "\x1b", "\u202e", "\ud800"} & set(text)


def test_turn_taking_and_why_a_turn_was_unfit_have_columns_of_their_own() -> None:
    call = good_call("0001")
    call.turns[0].talk_over_ms, call.turns[0].dead_air_ms = 120.5, 1103.4
    call.turns[2].false_stop, call.turns[2].backchannels = False, 2
    call.turns[1].unfit_why = [Unfit(kind="packet_late", figure=120)]
    call.turns[1].ran_out = RanOut.read("the machine's CPU: 98 % busy")
    said, typed, barge_in = rows_of([call])
    assert (said["talk_over_ms"], said["dead_air_ms"], said["false_stop"]) == ("120.5", "1103.4", "")
    assert (barge_in["false_stop"], barge_in["backchannels"]) == ("false", "2")
    assert typed["unfit_why"] == "a packet left 120 ms late; what ran out: the machine's CPU: 98 % busy"
    assert typed["talk_over_ms"] == "" == said["unfit_why"]
