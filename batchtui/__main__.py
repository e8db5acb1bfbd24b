"""Run as `python -m batchtui`."""

from batchtui.cli.entry import program

program()
