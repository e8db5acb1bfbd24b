"""What is wrong with a job's files and with what it asks of them, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from batchtui.backends.attachments.files import Attached
from batchtui.backends.attachments.pdf import PdfFacts
from batchtui.backends.attachments.rules import FileRules
from batchtui.backends.prompts.work import CHAT, RESPONSES, ChatWork, endpoint_of
from batchtui.model import Json
from batchtui.text import cell

Fault = tuple[str, str]
"""(key, message)"""
PdfLook = Callable[[Attached], PdfFacts | None]
"""Facts of a PDF; None where nothing here can read one."""

IMAGE_TOKENS = 1_600
PAGE_TOKENS = 2_000
PAGE_BYTES = 50_000
"""A page of a PDF whose pages were not counted."""
FEW_TEXT_PAGES = 0.1
_REFERENCES = 8


def check_files(
    work: ChatWork, files: Sequence[Attached], rules: FileRules | None, name: str, look: PdfLook
) -> list[Fault]:
    """All that stops the job. `name` is the backend's. Fills in the pages of PDFs."""
    faults = list(_asked_for(work, files, rules, name))
    if faults or not files:
        return faults
    assert rules is not None
    for one in files:
        faults += ((("file", f"{one.name}: {message}")) for message in _one(one, rules, name))
    if faults:
        return faults
    faults += _pdfs(files, rules, name, look, citations=work.citations)
    total = sum(one.weight for one in files)
    if rules.request_bytes and total > rules.request_bytes:
        many = "the file takes" if len(files) == 1 else f"the {len(files)} files take"
        faults.append(("file", f"{many} {total:,} bytes as sent; {name} takes {rules.request_bytes:,} a job"))
    return faults


def _asked_for(
    work: ChatWork, files: Sequence[Attached], rules: FileRules | None, name: str
) -> Iterator[Fault]:
    if files and rules is None:
        yield "file", f"{name} takes no files beside a prompt"
    elif files and endpoint_of(work) not in (CHAT, RESPONSES):
        yield "file", f"{work.endpoint} takes no files"
    if not work.citations:
        return
    if rules is None or not rules.citations:
        yield "citations", f"{name} cites nothing; only Anthropic's models do (kind anthropic)"
    elif not files:
        yield "citations", "need a file to cite; give job.file"
    elif all(one.form == "image" for one in files):
        yield "citations", "need a PDF or a text; images cannot be cited"
    if work.schema is not None and (field := nested_field(work.schema)):
        yield (
            "schema",
            f'with citations it must be flat: "{cell(field, 60)}" is nested; leave citations out, or flatten it',
        )


def _one(one: Attached, rules: FileRules, name: str) -> Iterator[str]:
    if one.form == "pdf":
        if not rules.pdf:
            yield f"{name} takes no PDF; give its text, or its pages as images"
        elif rules.pdf_bytes and one.size > rules.pdf_bytes:
            yield f"has {one.size:,} bytes; {name} takes a PDF of {rules.pdf_bytes:,}"
    elif one.form == "image":
        if one.media_type not in rules.images:
            known = ", ".join(kind.partition("/")[2].upper() for kind in rules.images)
            yield f"is {one.named}, which {name} does not take" + (f"; only {known}" if known else "")
        elif rules.image_bytes and one.weight > rules.image_bytes:
            yield f"takes {one.weight:,} bytes as sent; {name} takes an image of {rules.image_bytes:,}"


def _pdfs(
    files: Sequence[Attached], rules: FileRules, name: str, look: PdfLook, *, citations: bool
) -> Iterator[Fault]:
    """What only a reader of PDFs can tell: pages, locks, and whether there is text to cite."""
    if rules.pages is None and rules.locked_pdf and not citations:
        return
    pages = 0
    for one in files:
        facts = look(one) if one.form == "pdf" else None
        if facts is None:
            continue
        one.pages = facts.pages
        pages += facts.pages or 0
        if facts.locked and (citations or not rules.locked_pdf):
            yield "file", f"{one.name}: is locked (encrypted), which {name} does not take"
        elif citations and facts.blank:
            yield (
                "file",
                f"{one.name}: holds no text (a scan?), so nothing in it can be cited; run OCR over it first",
            )
    if rules.pages and pages > rules.pages:
        yield "file", f"{pages:,} pages of PDF; {name} takes {rules.pages:,} a job"


def warnings(files: Sequence[Attached], rules: FileRules, facts: Sequence[PdfFacts]) -> Iterator[str]:
    """What is worth a word and stops nothing."""
    pages = sum(one.pages or 0 for one in files)
    if rules.pages_small and rules.pages_small < pages <= (rules.pages or pages):
        yield f"{pages:,} pages of PDF; models with a short context take {rules.pages_small}"
    for one, known in zip((one for one in files if one.form == "pdf"), facts, strict=False):
        if known.error:
            yield f"{one.name}: pypdf cannot read it ({cell(known.error, 120)}); it is sent as it is"
        elif known.looked and known.with_text / known.looked < FEW_TEXT_PAGES:
            yield f"{one.name}: text on {known.with_text} of {known.looked} pages looked at; the others cannot be cited"


def file_tokens(files: Sequence[Attached]) -> int:
    """Tokens that the files come to, estimated."""
    return sum(map(_tokens, files))


def _tokens(one: Attached) -> int:
    if one.form == "image":
        return IMAGE_TOKENS
    if one.form == "pdf":
        return PAGE_TOKENS * (one.pages if one.pages is not None else -(-one.size // PAGE_BYTES))
    return one.weight // 4


def nested_field(schema: dict[str, Json]) -> str | None:
    """The first field that is an object with fields, or a list or choice of such, which citations cannot reach."""
    root = _resolved(schema, schema)
    properties = root.get("properties") if isinstance(root, dict) else None
    if not isinstance(properties, dict):
        return None
    return next((name for name, field in properties.items() if _is_object(field, schema, 0)), None)


def _is_object(field: Json, schema: dict[str, Json], depth: int) -> bool:
    field = _resolved(field, schema)
    if not isinstance(field, dict) or depth > _REFERENCES:
        return False
    if isinstance(field.get("properties"), dict):
        return True
    inner = [part for key in ("anyOf", "oneOf", "allOf", "prefixItems") for part in _list(field.get(key))]
    inner += _list(field.get("items")) if isinstance(field.get("items"), list) else [field.get("items")]
    return any(_is_object(part, schema, depth + 1) for part in inner)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _resolved(value: Json, schema: dict[str, Json]) -> Json:
    """What a reference within the schema leads to."""
    for _ in range(_REFERENCES):
        reference = value.get("$ref") if isinstance(value, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return value
        value = schema
        for part in reference[2:].split("/"):
            value = value.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(value, dict) else None
    return value
