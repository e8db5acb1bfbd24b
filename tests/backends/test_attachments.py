"""Files beside a prompt: told apart by their bytes, refused with a reason, encoded as each provider takes them."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from batchtui.backends.attachments import parts
from batchtui.backends.attachments.checks import check_files, file_tokens, nested_field, warnings
from batchtui.backends.attachments.files import HEAD, Attached, FileFault, load, look
from batchtui.backends.attachments.pdf import PdfFacts, PdfLooker
from batchtui.backends.attachments.rules import ANTHROPIC, GEMINI, IMAGES_ONLY, OPENAI, FileRules
from batchtui.backends.prompts.work import ChatWork
from batchtui.model import Json
from tests import extras
from tests.sample_files import GIF, JPEG, PNG, WEBP, docx, pdf, zipped


def put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def fault_of(path: Path) -> str:
    with pytest.raises(FileFault) as fault:
        load(path)
    assert fault.value.kind == "file"
    return str(fault.value)


# ---- what a file is


KNOWN: list[tuple[str, bytes | str, str, str | None]] = [
    ("a.pdf", pdf(["hello"]), "pdf", "application/pdf"),
    ("no-name", pdf(["hello"]), "pdf", "application/pdf"),
    ("late.pdf", b"junk\n" + pdf(["hello"]), "pdf", "application/pdf"),
    ("a.png", PNG, "image", "image/png"),
    ("really-a-png.jpg", PNG, "image", "image/png"),
    ("a.jpg", JPEG, "image", "image/jpeg"),
    ("a.gif", GIF, "image", "image/gif"),
    ("a.webp", WEBP, "image", "image/webp"),
    ("a.txt", "plain words", "text", "text/plain"),
    ("a.md", "# title", "text", "text/markdown"),
    ("a.csv", "a,b\n1,2\n", "text", "text/csv"),
    ("code.py", "print('ü')\n", "text", "text/plain"),
    ("bmp-words.txt", "BM is how a bitmap begins", "text", "text/plain"),
    ("utf16.txt", "grün".encode("utf-16"), "text", "text/plain"),
    ("a.docx", docx("One", "Two"), "docx", None),
]


@pytest.mark.parametrize(("name", "data", "form", "media_type"), KNOWN, ids=[one[0] for one in KNOWN])
def test_a_file_is_what_its_bytes_say(
    tmp_path: Path, name: str, data: bytes | str, form: str, media_type: str | None
) -> None:
    path = put(tmp_path, name, data)
    found = look(path)
    assert (found.form, found.size) == (form, path.stat().st_size)
    assert media_type is None or found.media_type == media_type
    assert found.data is None
    assert "bytes of" in found.content
    loaded = load(path)
    if form in ("pdf", "image"):
        assert base64.b64decode(loaded.content) == path.read_bytes()
        assert loaded.weight == len(loaded.content)


def test_text_comes_as_text_and_is_weighed_as_it_is_sent(tmp_path: Path) -> None:
    short = put(tmp_path, "short.txt", "\ufeffgrün “quoted”\n")
    assert load(short).data == "grün “quoted”\n"
    assert look(short).weight == len(json.dumps("grün “quoted”\n")) - 2
    long = put(tmp_path, "long.txt", "zwölf Boxkämpfer\n" * 5000)
    assert long.stat().st_size > HEAD
    true = len(json.dumps(long.read_text())) - 2
    assert true <= look(long).weight <= true * 1.3


def test_the_first_bytes_may_end_inside_a_character(tmp_path: Path) -> None:
    for shift in range(4):
        path = put(tmp_path, f"{shift}.txt", "x" * shift + "🎈" * HEAD)
        assert look(path).form == "text"
        assert load(path).content == path.read_text()


def test_a_docx_gives_its_text(tmp_path: Path) -> None:
    table = (
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc>"
        "<w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>x</w:t><w:tab/><w:t>y</w:t><w:br/><w:t>z</w:t></w:r>"
        "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"
        "<mc:AlternateContent><mc:Fallback><w:p><w:r><w:t>twice</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>"
    )
    path = put(tmp_path, "a.docx", docx("Invoice <1> & more", "Zweite Zeile", body=table))
    assert load(path).content == "Invoice <1> & more\nZweite Zeile\na\tb\nx\ty\nz"


# ---- what is refused


REFUSED: list[tuple[str, bytes | str, str]] = [
    ("empty.pdf", b"", "is empty"),
    (
        "page.pdf",
        "<html>not found</html>",
        "is named .pdf but holds text, which begins with “<html>not found",
    ),
    ("a.docx", "words", "is named .docx but holds text"),
    (
        "a.doc",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "Office file of before 2007; save it as docx",
    ),
    ("a.xlsx", zipped({"xl/workbook.xml": b"<a/>"}), "is an Excel file"),
    ("a.zip", zipped({"a.txt": b"a"}), "is a zip file"),
    ("cut.docx", docx("words")[:300], "damaged"),
    ("a.heic", b"\0\0\0\x18ftypheic" + bytes(100), "HEIC image; save an image as JPEG"),
    ("a.tif", b"II*\x00" + bytes(100), "TIFF image"),
    ("a.bin", bytes(range(256)) * 4, "is neither a PDF"),
    ("nul.txt", "a\0b", "NUL"),
    ("latin1.txt", "grün".encode("latin-1"), "nor UTF-8 text (byte 3)"),
    ("late.txt", b"x" * (HEAD + 10) + b"\xff", "nor UTF-8 text"),
    ("blank.txt", "  \n ", "holds no text"),
    ("blank.docx", docx(), "holds no text"),
]


@pytest.mark.parametrize(("name", "data", "words"), REFUSED, ids=[one[0] for one in REFUSED])
def test_what_no_provider_takes_is_refused_with_its_reason(
    tmp_path: Path, name: str, data: bytes | str, words: str
) -> None:
    message = fault_of(put(tmp_path, name, data))
    assert words in message
    assert name in message


def test_paths_that_lead_to_no_file(tmp_path: Path) -> None:
    assert "there is no such file" in fault_of(tmp_path / "gone.pdf")
    assert "is a folder" in fault_of(tmp_path)
    assert "is no usable path" in fault_of(Path("a\0b"))
    os.mkfifo(tmp_path / "pipe")
    assert "is no regular file" in fault_of(tmp_path / "pipe")
    assert "no regular file" in fault_of(Path("/dev/zero"))


def test_a_zip_bomb_and_entity_tricks_harm_nobody(tmp_path: Path) -> None:
    bomb = zipped({"word/document.xml": b"<a>" + b" " * 60_000_000})
    assert "more than a Word document would" in fault_of(put(tmp_path, "bomb.docx", bomb))
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    assert "document type" in fault_of(put(tmp_path, "laughs.docx", docx("x", head=laughs)))
    outside = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'
    assert "document type" in fault_of(put(tmp_path, "outside.docx", docx("x", head=outside)))
    lying = bytearray(docx("words " * 2000))
    at = lying.rindex(b"PK\x01\x02", 0, lying.rindex(b"word/document.xml"))
    lying[at + 24 : at + 28] = (10).to_bytes(4, "little")  # says that it unpacks to 10 bytes
    assert "damaged" in fault_of(put(tmp_path, "lying.docx", bytes(lying)))
    many = put(tmp_path, "many.docx", zipped({f"{n}": b"" for n in range(10_001)}))
    assert "too many entries" in fault_of(many)


# ---- what each provider takes


def attached(tmp_path: Path) -> dict[str, Attached]:
    return {
        "pdf": load(put(tmp_path, "a.pdf", pdf(["hello"]))),
        "png": load(put(tmp_path, "a.png", PNG)),
        "text": load(put(tmp_path, "a.txt", "words")),
        "docx": load(put(tmp_path, "a.docx", docx("words"))),
    }


def test_each_provider_gets_its_own_form(tmp_path: Path) -> None:
    one = attached(tmp_path)
    data, image = one["pdf"].content, one["png"].content
    assert parts.openai_chat(one["pdf"]) == {
        "type": "file",
        "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{data}"},
    }
    assert parts.openai_chat(one["png"])["image_url"] == {"url": f"data:image/png;base64,{image}"}
    assert parts.openai_chat(one["docx"]) == {"type": "text", "text": "a.docx:\n\nwords\n\n"}
    assert parts.openai_responses(one["pdf"]) == {
        "type": "input_file",
        "filename": "a.pdf",
        "file_data": f"data:application/pdf;base64,{data}",
    }
    assert parts.openai_responses(one["png"])["type"] == "input_image"
    assert parts.openai_responses(one["text"])["type"] == "input_text"
    assert parts.mistral(one["pdf"]) == {
        "type": "document_url",
        "document_url": f"data:application/pdf;base64,{data}",
        "document_name": "a.pdf",
    }
    assert parts.gemini(one["png"]) == {"inlineData": {"mimeType": "image/png", "data": image}}
    assert parts.gemini(one["text"]) == {"text": "a.txt:\n\nwords\n\n"}
    assert parts.anthropic(one["pdf"], citations=True) == {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": data},
        "title": "a.pdf",
        "citations": {"enabled": True},
    }
    assert parts.anthropic(one["docx"]) == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "words"},
        "title": "a.docx",
    }
    assert parts.anthropic(one["png"], citations=True) == {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": image},
    }


def test_files_go_before_the_first_words_of_the_user(tmp_path: Path) -> None:
    one = attached(tmp_path)["text"]
    messages: Json = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "summarise"},
        {"role": "assistant", "content": "no"},
        {"role": "user", "content": "again"},
    ]
    body = parts.with_openai_files({"messages": messages}, [one], "/v1/chat/completions")
    assert [part["text"] for part in body["messages"][1]["content"]] == ["a.txt:\n\nwords\n\n", "summarise"]
    assert body["messages"][3]["content"] == "again"
    assert messages[1]["content"] == "summarise"  # the work itself stays as it was
    body = parts.with_openai_files({"input": "summarise"}, [one], "/v1/responses")
    assert [part["type"] for part in body["input"][0]["content"]] == ["input_text", "input_text"]
    assert parts.with_files([{"role": "system", "content": "x"}], [{"a": 1}])[1] == {
        "role": "user",
        "content": [{"a": 1}],
    }


# ---- checks before anything is sent


def checked(
    work: ChatWork, files: list[Attached], rules: FileRules | None, facts: PdfFacts | None = None
) -> str:
    return "; ".join(
        f"{key}: {message}" for key, message in check_files(work, files, rules, "b", lambda one: facts)
    )


def test_a_kind_refuses_what_it_cannot_take(tmp_path: Path) -> None:
    one = attached(tmp_path)
    work = ChatWork(prompt="x", file="a")
    assert checked(work, [one["pdf"]], None) == "file: b takes no files beside a prompt"
    assert "takes no PDF" in checked(work, [one["pdf"]], IMAGES_ONLY)
    assert checked(work, [one["png"], one["docx"]], IMAGES_ONLY) == ""
    gif = look(put(tmp_path, "a.gif", GIF))
    assert "is a GIF image, which b does not take; only PNG, JPEG, WEBP" in checked(work, [gif], GEMINI)
    embedding = ChatWork(body={"input": "x"}, file="a", endpoint="/v1/embeddings")
    assert "takes no files" in checked(embedding, [one["text"]], OPENAI)


def test_size_and_page_limits(tmp_path: Path) -> None:
    work = ChatWork(prompt="x", file="a")
    one = attached(tmp_path)
    one["pdf"].weight = 30_000_000
    assert checked(work, [one["pdf"]], OPENAI) == ""
    message = checked(work, [one["pdf"], one["pdf"]], OPENAI)
    assert message == "file: the 2 files take 60,000,000 bytes as sent; b takes 50,000,000 a job"
    one["png"].weight = 5_000_001
    assert "b takes an image of 5,000,000" in checked(work, [one["png"]], ANTHROPIC)
    pages = PdfFacts(pages=400)
    assert checked(work, [one["pdf"]], ANTHROPIC, pages) == ""
    one["pdf"].weight = 10
    assert checked(work, [one["pdf"]] * 2, ANTHROPIC, pages) == "file: 800 pages of PDF; b takes 600 a job"
    assert "is locked" in checked(work, [one["pdf"]], ANTHROPIC, PdfFacts(locked=True))
    assert checked(work, [one["pdf"]], OPENAI, PdfFacts(locked=True)) == ""


def test_citations_need_something_to_cite(tmp_path: Path) -> None:
    one = attached(tmp_path)
    work = ChatWork(prompt="x", file="a", citations=True)
    assert "cites nothing; only Anthropic's models do" in checked(work, [one["pdf"]], OPENAI)
    assert checked(work, [], ANTHROPIC) == "citations: need a file to cite; give job.file"
    assert "images cannot be cited" in checked(work, [one["png"]], ANTHROPIC)
    assert checked(work, [one["text"]], ANTHROPIC) == ""
    scan = checked(work, [one["pdf"]], ANTHROPIC, PdfFacts(pages=3, looked=3, blank=True))
    assert "a.pdf: holds no text (a scan?), so nothing in it can be cited" in scan


def test_what_is_worth_a_word_stops_nothing(tmp_path: Path) -> None:
    one = attached(tmp_path)["pdf"]
    one.pages = 150
    told = list(warnings([one], ANTHROPIC, [PdfFacts(pages=150, looked=20, with_text=1)]))
    assert told == [
        "150 pages of PDF; models with a short context take 100",
        "a.pdf: text on 1 of 20 pages looked at; the others cannot be cited",
    ]
    assert next(warnings([one], OPENAI, [PdfFacts(error="PdfReadError: \x1bx")])).startswith(
        "a.pdf: pypdf cannot read it (PdfReadError: "
    )
    assert list(warnings([one], OPENAI, [PdfFacts(pages=150)])) == []


def test_tokens_of_files_are_estimated(tmp_path: Path) -> None:
    one = attached(tmp_path)
    one["pdf"].pages = 3
    assert file_tokens([one["pdf"]]) == 6_000
    assert file_tokens([one["png"]]) == 1_600
    one["text"].weight = 4_000
    assert file_tokens([one["text"]]) == 1_000
    one["pdf"].pages, one["pdf"].size = None, 120_000
    assert file_tokens([one["pdf"]]) == 6_000


NESTED: list[tuple[Json, str | None]] = [
    ({"properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "number"}}}}, None),
    ({"properties": {"a": {"type": "object", "properties": {"x": {}}}}}, "a"),
    ({"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"properties": {"x": {}}}}}, "a"),
    ({"properties": {"a": {"type": "array", "items": {"properties": {"x": {}}}}}}, "a"),
    ({"properties": {"ok": {}, "a": {"anyOf": [{"properties": {"x": {}}}, {"type": "null"}]}}}, "a"),
    ({"$ref": "#/$defs/R", "$defs": {"R": {"properties": {"a": {"properties": {"x": {}}}}}}}, "a"),
    ({"properties": {"a": {"$ref": "#/properties/a"}}}, None),
    ({"properties": 5}, None),
    ({"type": "string"}, None),
]


@pytest.mark.parametrize(("schema", "field"), NESTED)
def test_a_nested_schema_cannot_be_cited(schema: dict[str, Json], field: str | None, tmp_path: Path) -> None:
    assert nested_field(schema) == field
    text = look(put(tmp_path, "a.txt", "words"))
    faults = check_files(
        ChatWork(prompt="x", citations=True, schema=schema), [text], ANTHROPIC, "b", lambda _: None
    )
    assert [key for key, _ in faults] == (["schema"] if field else [])


# ---- PDFs, looked at by a process of their own


def test_pages_text_and_locks_of_pdfs(tmp_path: Path) -> None:
    extras.require("docs")
    looker = PdfLooker()
    try:
        words = look(put(tmp_path, "words.pdf", pdf(["enough words to count as text"] * 3, packed=True)))
        assert looker.look(words, text=True) == PdfFacts(pages=3, looked=3, with_text=3)
        scan = look(put(tmp_path, "scan.pdf", pdf(["", ""])))
        assert looker.look(scan, text=True) == PdfFacts(pages=2, looked=2, blank=True)
        few = look(put(tmp_path, "few.pdf", pdf([""] * 30 + ["5 euro"])))
        assert looker.look(few, text=True) == PdfFacts(pages=31, looked=16, with_text=0)
        locked = look(put(tmp_path, "locked.pdf", pdf(["x"], locked=True)))
        assert looker.look(locked, text=False).locked
        broken = look(put(tmp_path, "broken.pdf", b"%PDF-1.4\nnothing else"))
        assert looker.look(broken, text=False).error
        assert looker.look(words, text=False).pages == 3  # it lives on after a broken one
        process = looker._process
        assert process
        process.kill()
        process.wait()
        again = look(put(tmp_path, "again.pdf", pdf(["x"])))
        assert looker.look(again, text=False).pages == 1
    finally:
        looker.close()


def test_a_pdf_that_takes_for_ever_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = put(tmp_path, "sleeper.py", "import time\ntime.sleep(600)\n")
    monkeypatch.setattr("batchtui.backends.attachments.pdf.pdf_look.__file__", str(sleeper))
    monkeypatch.setattr("batchtui.backends.attachments.pdf.PATIENCE", 0.3)
    looker = PdfLooker()
    one = look(put(tmp_path, "slow.pdf", pdf(["x"])))
    assert "took longer than 0.3 s" in looker.look(one, text=False).error
    assert looker._process is None
