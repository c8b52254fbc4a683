from __future__ import annotations

import codecs
import hashlib
import io
import json
import time
import zlib
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from harness.cache import CACHE_ENV
from harness.errors import KnowledgeError
from harness.stack.knowledge import Document, load_passages, read_document, read_file, reader, reading, store_passages
from harness.stack.knowledge.index import Index, Preparer
from harness.stack.knowledge.passages import Kind
from tests.stack.knowledge.pdf import assembled, pdf_of
from tests.stack.knowledge.shelf import TUNED_ON, contents

pytestmark = pytest.mark.usefixtures("cache")
TEXT = "The shop opens at nine. Parking is free."


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are read in this process: starting one for each takes longer than reading."""

    def read(name: str, kind: Kind, data: bytes) -> Document:
        found = {"name": name, "kind": kind, "sha256": hashlib.sha256(data).hexdigest()}
        return Document.model_validate_json(json.dumps(found | reader.read(name, kind, data)))

    monkeypatch.setattr(reading, "_read", read)


in_this_process = pytest.mark.usefixtures("here")


def document(name: str) -> Document:
    return read_document(name, dict(contents(TUNED_ON))[name])


def places(name: str) -> list[str]:
    return [passage.place for passage in document(name).passages]


def encrypted() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of([[TEXT]]))))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@in_this_process
def test_markdown_has_headings_and_lines_and_no_comments() -> None:
    found = document("climbing-hall.md")
    assert found.kind == "markdown"
    assert places("climbing-hall.md")[1] == "line 13, Opening hours"
    [belay] = [passage for passage in found.passages if "Belay test" in passage.heading]
    assert belay.heading == ("Northwall climbing hall", "Safety", "Belay test")
    text = " ".join(passage.text for passage in found.passages)
    assert "last edited" not in text
    assert "House rules" not in text


@in_this_process
def test_html_is_without_scripts_styles_navigation_and_what_is_hidden() -> None:
    found = document("espresso-manual.html")
    text = "\n".join(passage.text for passage in found.passages)
    for left_out in ("999", "descale weekly", "Careers", "margin", "JavaScript", "<"):
        assert left_out not in text
    assert "| No steam | Clear the nozzle with the pin under the tray |" in text
    assert "- Rinse the tank and fill it with cold tap water." in text
    assert "1.8 litres" in text
    assert found.passages[0].place == "line 12, Brio 200 espresso machine"


@in_this_process
def test_a_text_has_the_headings_that_stand_out() -> None:
    assert places("allotment-rules.txt")[:3] == [
        "line 4, GREENFIELD ALLOTMENT ASSOCIATION",
        "line 9, 1. Plots and rent",
        "line 18, 2. Water",
    ]


@in_this_process
def test_a_pdf_has_pages_without_their_header() -> None:
    found = document("ferry-handbook.pdf")
    assert [passage.page for passage in found.passages] == [1, 2, 3, 4]
    assert [passage.place for passage in found.passages][3] == "page 4, Animals and luggage"
    assert "handbook" not in " ".join(passage.text for passage in found.passages)


@in_this_process
def test_a_sentence_across_two_pages_stays_whole() -> None:
    found = read_document(
        "two.pdf", pdf_of([["The ferry sails when the", "- 1 -"], ["tide is high. Tickets are cheap.", "- 2 -"]])
    )
    assert [passage.text for passage in found.passages] == [
        "The ferry sails when the\ntide is high.",
        "Tickets are cheap.",
    ]


@in_this_process
def test_broken_html_is_read_as_far_as_it_goes() -> None:
    html = "<html><body><p>Open <b>daily<p>from nine<table><tr><td>Tea<td>2 euros</tr><script>never closed"
    found = read_document("a.html", html.encode())
    assert found.passages[0].text.startswith("Open daily")
    assert "never closed" not in "".join(passage.text for passage in found.passages)


@in_this_process
def test_long_paragraphs_are_split_at_the_ends_of_sentences() -> None:
    sentence = "The second tram leaves the depot at a quarter past six in the morning."
    found = read_document("long.txt", " ".join([sentence] * 100).encode())
    assert all(len(passage.text) <= 1300 and passage.text.endswith(".") for passage in found.passages)
    assert len(found.passages) > 4


@in_this_process
def test_long_gaps_in_a_line_are_narrowed(preparer: Preparer) -> None:
    found = read_document("gaps.txt", b"Tea" + b" " * 1000 + b"2 euros\n" + b" " * 1100 + b"and cake.\n")
    assert [passage.text for passage in found.passages] == ["Tea 2 euros\n  and cake."]
    assert Index.of([found], preparer).search("How much is the tea?")


@in_this_process
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", codecs.BOM_UTF16_LE + "Café opens.".encode("utf-16-le")),
        ("a.txt", codecs.BOM_UTF8 + "Café opens.".encode()),
        ("a.txt", "Café opens.\r\n".encode()),
        ("a", "Café opens.".encode()),
        ("a.html", '<html><meta charset="iso-8859-1"><p>Café opens.'.encode("latin-1")),
        ("a.html", b"<p>Caf&eacute; opens.</p>"),
        ("../../etc/a\x00.md", "Café opens.".encode()),
    ],
)
def test_encodings(name: str, data: bytes) -> None:
    found = read_document(name, data)
    assert [passage.text for passage in found.passages] == ["Café opens."]
    assert found.name in ("a.txt", "a.html", "a.md", "a")


REFUSED: list[tuple[str, bytes, str]] = [
    ("a.pdf", TEXT.encode(), "its name says a PDF, but it contains plain text"),
    ("a.txt", pdf_of([[TEXT]]), "its name says plain text, but it contains a PDF"),
    ("a.md", b"<!DOCTYPE html><p>Hello.", "its name says Markdown, but it contains HTML"),
    ("a.html", TEXT.encode(), "its name says HTML, but it contains plain text"),
    ("a.docx", b"PK\x03\x04\x00", "a document of this kind (.docx) cannot be read"),
    ("a.txt", b"PK\x03\x04\x14\x00", "it is a ZIP archive or an Office document"),
    ("a.md", b"\x89PNG\r\n\x1a\n\x00", "it is a PNG image"),
    ("a.txt", b"one\ntwo caf\xe9\n", "it is not valid UTF-8: the byte 0xe9 in line 2"),
    ("a.txt", b"abc\x00\x00\x01def", "it contains binary data, not text"),
    ("a.html", b"<html><meta charset=zlib><p>x", "it declares the unknown encoding 'zlib'"),
    ("a.html", b"<html><meta charset=utf-8><p>caf\xe9", "it is not valid UTF-8"),
    ("a.html", b"<html><script>x</script></html>", "it contains no text"),
    ("a.txt", b" \n\t", "it is empty"),
    ("a.txt", b"", "it is empty"),
    ("a.txt", b"--- *** ===\n", "it contains no text"),
    ("a.txt", b"a" * 20_000_001, "it has 20.0 MB, more than 20 MB"),
    ("a.txt", b"word " * 700_000, "it has more than 3,000,000 characters of text"),
    ("a.pdf", encrypted(), "the PDF is encrypted"),
    ("a.pdf", pdf_of([[]]), "it contains no text"),
    ("a.pdf", b"%PDF-1.7\nnothing of the kind", "the PDF is broken"),
    ("a.pdf", pdf_of([[TEXT]])[:200], "the PDF is broken"),
    ("a.pdf", pdf_of([["x"]] * 1001), "it has 1001 pages, more than 1000"),
]


@in_this_process
@pytest.mark.parametrize(("name", "data", "what"), REFUSED, ids=[f"{name}: {what}" for name, _, what in REFUSED])
def test_a_refusal_says_what_where_and_how_to_go_on(name: str, data: bytes, what: str) -> None:
    with pytest.raises(KnowledgeError) as refused:
        read_document(name, data)
    assert refused.value.what.startswith(what)
    assert refused.value.where == name
    assert refused.value.hint or "no text" in what


@pytest.mark.parametrize("name", [name for name, _ in contents(TUNED_ON)])
def test_the_process_that_reads_finds_what_is_read_in_this_one(name: str, request: pytest.FixtureRequest) -> None:
    alone = document(name)
    request.getfixturevalue("here")
    assert document(name) == alone


def test_a_refusal_comes_out_of_the_process_that_reads() -> None:
    with pytest.raises(KnowledgeError) as refused:
        read_document("a.pdf", encrypted())
    assert (refused.value.what, refused.value.where) == ("the PDF is encrypted", "a.pdf")
    assert refused.value.hint == "save it without a password, for example with qpdf --decrypt IN OUT"


def test_a_pdf_that_expands_enormously_is_refused_in_bounded_time() -> None:
    squeezer = zlib.compressobj(9)
    bomb = b"".join([*(squeezer.compress(b" " * 1_000_000) for _ in range(200)), squeezer.flush()])
    began = time.monotonic()
    with pytest.raises(KnowledgeError, match=r"expands to far more|more memory|more time or memory"):
        read_document("bomb.pdf", assembled([bomb]))
    assert time.monotonic() - began < 30


def test_a_document_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READ_TIMEOUT_S", 0.01)
    with pytest.raises(KnowledgeError, match="takes longer than"):
        read_document("slow.txt", b"This was never read before.")


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_that_was_read_is_kept_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_file(written(tmp_path, "one.txt", TEXT))
    monkeypatch.setattr(reading, "READ_TIMEOUT_S", 0.0)  # reading again would fail
    again = read_file(written(tmp_path, "two.txt", TEXT))
    assert again == first.model_copy(update={"name": "two.txt"})
    with pytest.raises(KnowledgeError, match="its name says a PDF"):
        read_file(written(tmp_path, "three.pdf", TEXT))


def test_a_document_that_is_no_file_leaves_nothing_on_the_disk(cache: Path) -> None:
    found = read_document("one.txt", b"Handed over, and deleted again.")
    assert not list(cache.glob(f"knowledge/{found.sha256}*"))


@in_this_process
def test_a_damaged_file_of_the_cache_is_made_again(tmp_path: Path, cache: Path) -> None:
    path = written(tmp_path, "one.txt", "Damage this.")
    first = read_file(path)
    [kept] = cache.glob(f"knowledge/{first.sha256}*")
    kept.write_text("{")
    assert read_file(path) == first
    assert load_passages(kept) == first


@in_this_process
def test_the_cache_keeps_the_documents_that_were_used_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_ENV, str(tmp_path / "cache"))
    monkeypatch.setattr(reading, "KEPT_DOCUMENTS", 2)
    one, two, three = (written(tmp_path, f"{name}.txt", f"It is {name}.") for name in ("one", "two", "three"))
    used = [read_file(path).sha256 for path in (one, two, one, three)]
    kept = {path.name[:64] for path in (tmp_path / "cache" / "knowledge").iterdir()}
    assert kept == {used[0], used[3]}


@in_this_process
def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_ENV, str(written(tmp_path, "file", "")))
    assert read_file(written(tmp_path, "one.txt", TEXT)).passages[0].text == TEXT


@in_this_process
def test_stored_passages_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "doc.passages.json"
    first = document("ferry-handbook.pdf")
    store_passages(first, path)
    assert load_passages(path) == read_file(path) == first
    assert [path.name for path in tmp_path.iterdir()] == ["doc.passages.json"]


@in_this_process
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"version": 2}, "its format is version 2, and this voice-harness reads 1"),
        ({"passages": []}, "it is not as this version writes it, at passages"),
        ({"sha256": "x"}, "it is not as this version writes it, at sha256"),
        ({"more": 1}, "it is not as this version writes it, at more"),
    ],
)
def test_stored_passages_of_another_form_are_refused(tmp_path: Path, change: dict[str, object], what: str) -> None:
    path = tmp_path / "doc.passages.json"
    store_passages(read_document("one.txt", TEXT.encode()), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(KnowledgeError) as refused:
        load_passages(path)
    assert (refused.value.what, refused.value.where) == (what, str(path))


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    for path, what in (
        (tmp_path / "none.md", "there is no such file"),
        (tmp_path, "it is no file"),
        (tmp_path / "none.passages.json", "it cannot be read: No such file or directory"),
    ):
        with pytest.raises(KnowledgeError) as refused:
            read_file(path)
        assert (refused.value.what, refused.value.where) == (what, str(path))
