#!python
"""What is installed as the command `batchtui`; an installer puts the interpreter's path into the first line."""

from batchtui.cli.entry import program

program()
