"""From arguments to a command and its exit code; every fault becomes one clear message here."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from batchtui.cli.commands import COMMANDS, overview, short_help
from batchtui.cli.shared import signals
from batchtui.cli.shared.arguments import Parser, add_common, split_command
from batchtui.cli.shared.console import Console, no_app, settle_encoding
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput, BatchtuiError, StoreDamaged, nearest
from batchtui.exit_codes import Exit
from batchtui.masking import mask
from batchtui.text import cell, clean


def dispatch(arguments: list[str]) -> int:
    """Run the command; the exit code."""
    debug = "--debug" in arguments or os.environ.get("BATCHTUI_DEBUG", "0") not in ("", "0")
    for stream in (sys.stdout, sys.stderr):
        settle_encoding(stream)
    try:
        with signals.raised():
            code = _run(arguments, os.environ)
            if sys.stdout is not None:
                sys.stdout.flush()
        return code
    except BrokenPipeError:
        _drop_stdout()
        return Exit.PIPE_CLOSED
    except KeyboardInterrupt:
        _say("interrupted")
        return Exit.INTERRUPTED
    except signals.Ended as end:
        return end.exit_code
    except SystemExit as end:  # argparse, after --help
        return end.code if isinstance(end.code, int) else 2
    except BatchtuiError as fault:
        if debug:
            _traceback()
        _say(f"batchtui: {fault}{_mends(fault)}")
        return fault.exit_code
    except Exception as fault:
        if debug:
            _traceback()
        if isinstance(fault, OSError) and fault.strerror:
            _drop_stdout()
            _say(f"batchtui: {_system_words(fault)}")
        else:
            _say(f"batchtui: internal fault: {type(fault).__name__}: {cell(fault)}; run again with --debug")
        return 1


def _run(arguments: list[str], env: Mapping[str, str]) -> int:
    command, rest = split_command(arguments)
    if command is None:
        if "--help" in rest or "-h" in rest:
            print(overview(), end="")
            return 0
        if "--version" in rest or "-V" in rest:
            return _version("--json" in rest)
        if not rest and (reason := no_app()):
            _say(f"batchtui: {reason}\n{short_help()}")
            return BadInput.exit_code
        command = "open"
        parser, module = _load(command, bare=True)
    elif command not in COMMANDS:
        hint = nearest(command, COMMANDS) or "; `batchtui --help` lists them"
        raise BadInput(f'unknown command "{cell(command)}"{hint}')
    else:
        parser, module = _load(command)
    args = parser.read(rest, env)
    if args.env_file:
        from batchtui.config.keys.env_file import bring

        bring(Path(args.env_file))
    console = Console(args.json, args.quiet, args.verbose, args.no_input, args.color)
    session = Session(console, args.data_dir, args.config)
    return int(module.run(command, args, session))


def command_parser(command: str) -> Parser:
    """What the command takes."""
    return _load(command)[0]


def _load(command: str, *, bare: bool = False) -> tuple[Parser, ModuleType]:
    module = importlib.import_module(f"batchtui.cli.{COMMANDS[command].module}")
    parser = Parser("" if bare else command, COMMANDS[command].summary)
    module.arguments(command, parser)
    add_common(parser)
    return parser, module


def full_parser() -> argparse.ArgumentParser:
    """Every command in one parser, for completion scripts."""
    whole = argparse.ArgumentParser(prog="batchtui", description="One terminal for every batch.")
    whole.add_argument("--version", action="version", version="")
    commands = whole.add_subparsers(dest="command")
    for name, entry in COMMANDS.items():
        parser = commands.add_parser(name, help=entry.summary)
        importlib.import_module(f"batchtui.cli.{entry.module}").arguments(name, parser)
        add_common(parser)
    return whole


def _version(as_json: bool) -> int:
    from batchtui import __version__

    print(f'{{"version": "{__version__}"}}' if as_json else f"batchtui {__version__}")
    return 0


def _mends(fault: BatchtuiError) -> str:
    """What tells more of damage, where the fault does not say it itself."""
    if not isinstance(fault, StoreDamaged) or not fault.proves:
        return ""
    return "; `batchtui fsck` tells what is damaged, with --repair it mends what can be mended"


def _system_words(fault: OSError) -> str:
    """What the system refused, where, and what to do where it is the disk."""
    from batchtui.store.disk.lines import disk_cause, is_disk

    if not fault.filename:
        return f"what was to be printed could not be written ({fault.strerror}); where does the output go?"
    if not is_disk(fault):
        return f"{fault.filename}: {fault.strerror}"
    return (
        f"{disk_cause(fault)}: {fault.filename}: cannot write ({fault.strerror}); what is stored stays, and "
        "`batchtui resume` goes on from it once the disk takes what is written"
    )


def _say(message: str) -> None:
    try:
        print(clean(mask(message)), file=sys.stderr, flush=True)
    except OSError:  # nobody is there to read it
        return


def _traceback() -> None:
    import traceback

    _say(traceback.format_exc())


def _drop_stdout() -> None:
    """What is left in the buffer must not raise again when the interpreter ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError:
        return
