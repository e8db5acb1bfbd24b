"""`results`, `export`, `show` and `errors`: what came back."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from batchtui.amounts import counted
from batchtui.cli.shared.arguments import batch_id
from batchtui.cli.shared.console import Masked, is_terminal, one_line
from batchtui.cli.shared.phrases import OK, SOME_FAILED, damage_words, money, what_next
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput
from batchtui.model import Result
from batchtui.outcome import key_words
from batchtui.results.export.file import FORMATS, export_batch, flat_columns, parse_fields, record, write
from batchtui.results.judging.stops import flag_of
from batchtui.results.reading.digest import digest
from batchtui.results.reading.query import answer, parse
from batchtui.results.reading.select import select
from batchtui.store.folder import BatchFolder
from batchtui.text import page

TABLE_JOBS = 10_000
"""A table is laid out as a whole; beyond this, other formats stream."""
_UNSAFE = re.compile(r"[^\w.\-]+")


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    batch_id(parser)
    if command == "show":
        parser.add_argument("job", metavar="JOB", help="the job's id")
    elif command in ("results", "export"):
        parser.add_argument("--where", metavar="Q", help='only these, such as "status:failed row.region=EU"')
        parser.add_argument(
            "--format", choices=("table", *FORMATS) if command == "results" else FORMATS,
            help="default: by the file's name; else a table on a terminal and JSON Lines elsewhere",
        )  # fmt: skip
        parser.add_argument("--fields", metavar="A,B", help="only these fields, such as job_id,row.species")
        parser.add_argument("--finished", action="store_true", help="leave out jobs that have not ended")
        parser.add_argument("--out", metavar="PATH", help="write to this file instead of stdout")
        parser.add_argument(
            "--raw",
            action="store_true",
            help="leave CSV cells as they are, also those that a spreadsheet would run",
        )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    folder = session.library.find(args.id)
    if command == "show":
        return _show(folder, args.job, session)
    if command == "errors":
        return _errors(folder, session)
    if command == "export" and not args.out:
        name = _UNSAFE.sub("_", folder.header.name).strip("._-") or folder.id
        args.out = f"{name}.{args.format or 'jsonl'}"
    return _results(folder, args, session)


def _results(folder: BatchFolder, args: argparse.Namespace, session: Session) -> int:
    console, fields, query = session.console, parse_fields(args.fields), parse(args.where or "")
    shape = args.format or ("jsonl" if console.json else None)
    damaged: list[str] = []
    if args.out and args.out != "-":
        if shape == "table":
            raise BadInput(f"a table is for the terminal; name a file format, one of {', '.join(FORMATS)}")
        count = export_batch(
            folder, args.out, format=shape, fields=fields, query=query, finished=args.finished, raw=args.raw,
            damaged=damaged,
        )  # fmt: skip
        if console.json:
            console.document({"path": args.out, "results": count})
        console.note(f"{counted(count, 'result')} written to {args.out}")
        return _damage(folder, damaged, session)
    shape = shape or ("table" if is_terminal(sys.stdout) else "jsonl")
    found = select(folder, query, finished=args.finished, damaged=damaged)
    if shape == "parquet":
        raise BadInput("Parquet goes to a file; name it with --out")
    if shape == "table":
        _table(folder, list(_at_most(found, session)), fields, session)
    else:
        if not is_terminal(sys.stdout):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[union-attr]
        columns = fields or (flat_columns(folder) if shape == "csv" else None)
        first = list(islice(found, 1))
        out = Masked() if is_terminal(sys.stdout) else sys.stdout
        write(out, chain(first, found), format=shape, columns=columns, raw=args.raw)
        if not first:
            _none(folder, session)
    return _damage(folder, damaged, session)


def _damage(folder: BatchFolder, damaged: list[str], session: Session) -> int:
    """Say that results hold keys or are damaged, where some are; the exit code."""
    if words := key_words(folder.status()):
        session.console.note(words)
    if not damaged and not folder.damage:
        return OK
    for words in damage_words(folder, folder.status(), len(damaged)):
        session.console.error(words)
    return SOME_FAILED


def _at_most(found: Iterable[Result], session: Session) -> Iterator[Result]:
    for count, result in enumerate(found):
        if count == TABLE_JOBS:
            session.console.note(f"only the first {TABLE_JOBS:,} are shown; --format jsonl streams all")
            return
        yield result


def _table(
    folder: BatchFolder, results: list[Result], fields: tuple[str, ...] | None, session: Session
) -> None:
    console = session.console
    if fields:
        rows = [[_shown(value) for value in record(result, fields).values()] for result in results]
        console.table([field.upper() for field in fields], rows)
        return
    heads = ("ID", "STATUS", "ANSWER OR ERROR", "IN", "OUT", "COST")
    console.table(heads, [_line(result) for result in results], right=("IN", "OUT", "COST"))
    if not results:
        _none(folder, session)


def _none(folder: BatchFolder, session: Session) -> None:
    session.console.note(f"no result matches; the batch has {counted(len(folder.jobs), 'job')}")


def _shown(value: object) -> str:
    return "" if value is None else one_line(value)


def _line(result: Result) -> list[object]:
    error = (
        f"{result.error_kind or 'error'}: {result.error or ''}" if result.error_kind or result.error else None
    )
    flag = f" ({result.finish_reason})" if not error and flag_of(result.finish_reason) else ""
    return [
        result.job_id, f"{result.status.value}{flag}", error or answer(result), result.input_tokens, result.output_tokens,
        money(result.cost_usd),
    ]  # fmt: skip


def _show(folder: BatchFolder, job: str, session: Session) -> int:
    result = folder.result(folder.number(job))
    console = session.console
    if console.json:
        console.document(result)
        return 0
    facts = [
        ("job", result.job_id),
        ("name", result.name),
        ("state", result.status.value),
        ("error", f"{result.error_kind or 'error'}: {result.error}" if result.error else None),
        ("mended", result.repaired),
        ("note", result.note),
        ("backend", result.backend),
        ("model", result.model),
        ("submission", result.batch_id),
        ("attempts", result.attempts),
        (
            "tokens",
            ", ".join(
                f"{count} {side}"
                for count, side in ((result.input_tokens, "in"), (result.output_tokens, "out"))
                if count is not None
            ),
        ),
        ("cost", money(result.cost_usd)),
        ("started", result.started),
        ("ended", result.ended),
        ("stopped by", result.finish_reason),
        ("remote", one_line(result.remote) if result.remote else None),
    ]
    for name, value in facts:
        if value:
            print(f"{name:<12} {console.paint(one_line(str(value)))}")
    for name, text in _long_parts(result):
        print(f"\n{name}:\n{page(text)}")
    return 0


def _long_parts(result: Result) -> list[tuple[str, str]]:
    import json

    from batchtui.results.citing.cited_text import cited_text

    answer = cited_text(result) if result.citations else result.raw_response
    parts = [
        ("row", result.row), ("answer", answer), ("parsed", result.parsed_response),
        ("tool calls", result.tool_calls), ("all answers", result.choices),
        ("output", None if result.output == result.tool_calls else result.output),
        ("thinking", result.reasoning),
    ]  # fmt: skip
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2))
        for name, value in parts
        if value
    ]


def _errors(folder: BatchFolder, session: Session) -> int:
    console, groups = session.console, digest(folder)
    if console.json:
        for group in groups:
            console.document(group)
    elif groups:
        rows = [
            (group.count, group.error_kind, group.error or group.pattern, group.example) for group in groups
        ]
        console.table(("COUNT", "KIND", "ERROR", "EXAMPLE"), rows, right=("COUNT",))
        console.note(f"`batchtui show {folder.id} ID` shows one, {what_next(folder)}")
    else:
        console.note("no errors")
    status = folder.status()
    unsound = damage_words(folder, status, status.damaged)
    for words in unsound:
        console.error(words)
    return SOME_FAILED if unsound else OK
