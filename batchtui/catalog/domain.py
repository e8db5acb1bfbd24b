"""The card of a domain: what a field of work adds, for those who must not import it to know."""

from __future__ import annotations

import msgspec


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """A field of work in one folder of `domains`, or in a package of its own. What it names is imported when it is used.

    Its kinds of backend have cards of their own, as every kind.
    """

    name: str
    tasks: tuple[str, ...] = ()
    """What `task = …` of a job may say; its `solver`, `module:function`, does them by the chunk in a worker."""
    solver: str = ""
    checks: str = ""
    """The module that looks at its tasks before they run: `batchtui/work/tasks.py` says what it has."""
    manifests: str = ""
    """The module that reads its manifests: `batchtui/sources/manifests.py` says what it has."""
    views: tuple[str, ...] = ()
    """Modules of views of its results: `batchtui/results/views/registry.py` says what one has."""
    demo: tuple[str, ...] = ()
    """Protocols that it adds to the demo server, `module:class` of each."""
