"""Tests that every kind of backend passes, for the package that adds one: it proves itself with pytest.

    from batchtui.testing import RemoteKind

    class TestMine(RemoteKind):
        kind = "mine"
        work = {"text": "hello"}
        wrong = {"text": ""}
        creates = r"POST /v1/batches$"

        @contextmanager
        def server(self):
            yield "http://127.0.0.1:8000/v1"    # a server of its tests, which does the work

`RemoteKind` is for kinds that take many jobs in a submission, `DirectKind` for those that do one job at a time. What goes
to the server passes `Between`, which loses replies, cuts bodies and refuses as a network does. Needs pytest.
"""

from batchtui.testing.between import Between
from batchtui.testing.direct import DirectKind
from batchtui.testing.remote import RemoteKind

__all__ = ["Between", "DirectKind", "RemoteKind"]
