"""Detects the kind of a document by its content, and compares it with what its name says."""

from __future__ import annotations

import codecs
import re

from harness.errors import KnowledgeError
from harness.stack.knowledge.passages import Kind

SUFFIXES: dict[str, Kind] = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
}
NAMES: dict[Kind, str] = {"text": "plain text", "markdown": "Markdown", "html": "HTML", "pdf": "a PDF"}
KNOWN = "give a plain text (.txt), Markdown (.md), HTML (.html) or PDF (.pdf)"
_UTF8 = "save it as UTF-8"
_LOOKED_AT = 2048
_PDF = re.compile(rb"(?:\A|[\r\n])%PDF-\d")  # in the first 1,024 bytes, as other readers accept it
_PDF_WITHIN = 1024
_MAGIC = (
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a WAV or WebP file"),
    (b"OggS", "an Ogg file"),
    (b"ID3", "an MP3 file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"%!PS", "a PostScript file"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}\?>\s*|<!--.{0,1000}?-->\s*){0,5}<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_ANY_TAG = re.compile(
    r"<(?:p|div|h[1-6]|ul|ol|table|section|article|main|span|br|title)\b[^<>]{0,1000}>", re.IGNORECASE
)
_CHARSET = re.compile(rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w-]{2,40})", re.IGNORECASE)
_CHARSETS = re.compile(
    r"(?:utf-?8|(?:us-)?ascii|latin-?1|iso-?8859-\d{1,2}|(?:windows-?|cp)125\d|koi8-[ru]|shift_jis|euc-(?:jp|kr)|gb2312|gbk|"
    r"gb18030|big5)",
    re.IGNORECASE,
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x84\x86-\x9f]")


def kind_of(name: str, data: bytes) -> Kind:
    """What the content is.

    Raises:
        KnowledgeError: It is none of the kinds, or not what the name's suffix says.
    """
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    claimed = SUFFIXES.get(suffix)
    if suffix and claimed is None:
        raise KnowledgeError(f"a document of this kind ({suffix}) cannot be read", where=name, hint=KNOWN)
    found = _by_content(name, data)
    if found == "text" and claimed in ("text", "markdown"):
        return claimed
    if found == "text" and claimed == "html" and _ANY_TAG.search(text_of(name, data, "html")):
        return "html"
    if claimed is not None and claimed != found:
        raise KnowledgeError(
            f"its name says {NAMES[claimed]}, but it contains {NAMES[found]}",
            where=name,
            hint="rename it after what it contains, or give the right file",
        )
    return found


def text_of(name: str, data: bytes, kind: Kind) -> str:
    """The text of a document other than a PDF, with line feeds as line ends and without control characters.

    The encoding is UTF-8, that of its byte order mark, or, in HTML, the one that it declares.

    Raises:
        KnowledgeError: It is not text in that encoding.
    """
    encoding, skipped = _encoding(name, data, kind)
    try:
        text = data[skipped:].decode(encoding)
    except UnicodeDecodeError as problem:
        line = data[skipped : skipped + problem.start].count(b"\n") + 1
        raise KnowledgeError(
            f"it is not valid {encoding.upper()}: the byte 0x{data[skipped + problem.start]:02x} in line {line}",
            where=name,
            hint=_UTF8,
        ) from None
    controls = len(_CONTROLS.findall(text))
    if "\x00" in text or controls > 8 + len(text) // 1000:
        raise KnowledgeError("it contains binary data, not text", where=name, hint=KNOWN)
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n"))


def _by_content(name: str, data: bytes) -> Kind:
    start = data[:_LOOKED_AT]
    if _PDF.search(start[:_PDF_WITHIN]):
        return "pdf"
    for magic, what in _MAGIC:
        # A text may begin with such letters, but has no zero bytes
        if start.startswith(magic) and not (magic.isalnum() and b"\x00" not in start):
            raise KnowledgeError(f"it is {what}", where=name, hint=KNOWN)
    encoding, skipped = _encoding(name, data, "text")
    return "html" if _HTML.match(start[skipped:].decode(encoding, "replace")) else "text"


def _encoding(name: str, data: bytes, kind: Kind) -> tuple[str, int]:
    """The encoding, and the length of its byte order mark."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding, len(mark)
    declared = _CHARSET.search(data[:_LOOKED_AT]) if kind == "html" else None
    if declared is None:
        return "utf-8", 0
    charset = declared[1].decode("ascii", "replace")
    # Python's codecs include others, such as ones that decompress
    if _CHARSETS.fullmatch(charset) is None:
        raise KnowledgeError(f"it declares the unknown encoding {charset!r}", where=name, hint=_UTF8)
    # What HTML calls Latin-1 is Windows-1252
    return ("cp1252" if re.fullmatch(r"latin-?1|iso-?8859-1|(?:us-)?ascii", charset, re.IGNORECASE) else charset), 0
