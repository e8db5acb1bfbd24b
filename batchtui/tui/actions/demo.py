"""The demo is an app of its own over its own data; quitting it comes back here."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


def demo(app: BaseApp) -> None:
    """Run it in this terminal."""
    try:
        with app.suspend():
            code = subprocess.run([sys.executable, "-m", "batchtui", "demo"], check=False).returncode
    except (SuspendNotSupported, OSError):
        app.say("run `batchtui demo` in a terminal")
        return
    if code:
        app.say(f"`batchtui demo` ended with {code}; run it in a terminal to see why", "warning")
