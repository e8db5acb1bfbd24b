#!python
"""What is installed as the command `batchtui`; an installer puts the interpreter's path into the first line."""

import sys

from batchtui.cli.entry import main

sys.exit(main())
