"""Run as `python -m batchtui`."""

from batchtui.cli.entry import main

raise SystemExit(main())
