"""Gemini's Files API: resumable uploads in pieces, and downloads of results."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import FileResponse, Response

from batchtui.demo.kinds.base import ApiError, Call, DemoKind, Route, json_response
from batchtui.demo.kinds.files import Files, StoredFile
from batchtui.model import Json

_LIVES = 48 * 3600
_SESSION = "session-"


class GeminiFiles(Files):
    """`files/{id}` of one kind, in both versions of the API."""

    def __init__(self, owner: DemoKind, versions: tuple[str, ...]) -> None:
        super().__init__(owner)
        self.versions = versions
        self.sessions: dict[str, dict[str, Json]] = {}

    def routes(self, prefix: str = "") -> list[Route]:
        found: list[Route] = []
        for version in self.versions:
            files = f"{prefix}/{version}/files"
            found += [
                Route("POST", f"{prefix}/upload/{version}/files", "upload", self.upload),
                Route("GET", files, "list", self.list),
                Route("GET", files + "/{id}:download", "results", self.content),
                Route("GET", files + "/{id}", "read", self.read),
                Route("DELETE", files + "/{id}", "delete", self.delete),
            ]
        return found

    def reset(self) -> None:
        super().reset()
        self.sessions = {}

    def shown(self, file: StoredFile) -> dict[str, Json]:
        made = file.purpose == "batch_output"
        name = f"files/{file.id}"
        uri = f"https://generativelanguage.googleapis.com/v1beta/{name}"
        return {
            "name": name,
            "displayName": file.filename,
            "mimeType": "application/jsonl",
            "sizeBytes": str(file.bytes),
            "createTime": iso(file.created_at),
            "updateTime": iso(file.created_at),
            "expirationTime": iso(file.created_at + _LIVES),
            "uri": uri,
            "state": "ACTIVE",
            "source": "GENERATED" if made else "UPLOADED",
        } | ({"downloadUri": f"{uri}:download?alt=media"} if made else {})

    def named(self, name: Json) -> StoredFile | None:
        """By its whole name, `files/…`."""
        return self.stored.get(str(name).removeprefix("files/")) if str(name).startswith("files/") else None

    async def upload(self, call: Call) -> Response:
        """Both steps come to one path; the second one by the address that the first one names, and without a key."""
        session = call.request.query_params.get("upload_id")
        if session is None:
            return await self._start(call)
        headers = call.request.headers
        known = self.sessions.get(session)
        if known is None:
            raise ApiError(404, "The upload session is not known.")
        content = await call.request.body()
        path = self.path(f"{_SESSION}{session}")
        size = path.stat().st_size if path.exists() else 0
        if headers.get("x-goog-upload-offset") != str(size):
            raise ApiError(400, f"The offset does not fit: {size} bytes have arrived.")
        with path.open("ab") as out:
            out.write(content)
        if "finalize" not in headers.get("x-goog-upload-command", ""):
            return Response(status_code=200, headers={"x-goog-upload-status": "active"})
        del self.sessions[session]
        file_id = self.new_id()
        path.rename(self.path(file_id))
        name = str(known.get("display_name") or known.get("displayName") or "")
        self.add(file_id, name, "batch", size + len(content))
        call.remote_id = f"files/{file_id}"
        shown = {"file": self.shown(self.stored[file_id])}
        return json_response(shown, headers={"x-goog-upload-status": "final"})

    async def _start(self, call: Call) -> Response:
        headers = call.request.headers
        if (
            headers.get("x-goog-upload-protocol") != "resumable"
            or headers.get("x-goog-upload-command") != "start"
        ):
            raise ApiError(400, "Only resumable uploads are known here.")
        told = (await call.json()).get("file")
        session = self.world.new_id("")
        self.sessions[session] = told if isinstance(told, dict) else {}
        url = call.request.url
        place = f"{url.scheme}://{url.netloc}{url.path}?upload_id={session}&upload_protocol=resumable"
        return json_response(
            {},
            headers={
                "x-goog-upload-url": place,
                "x-goog-upload-status": "active",
                "x-goog-upload-chunk-granularity": "262144",
            },
        )

    async def list(self, call: Call) -> Response:
        files = [self.shown(file) for file in reversed(self.stored.values())]
        return self.owner.reply(page(call, "files", files, most=100))

    async def delete(self, call: Call) -> Response:
        stored = self.find(call.params["id"])
        del self.stored[stored.id]
        return self.owner.reply({})

    async def content(self, call: Call) -> Response:
        stored = self.find(call.params["id"])
        if stored.purpose != "batch_output":
            raise ApiError(400, "Only generated files can be downloaded.")
        return FileResponse(self.path(stored.id), media_type="application/octet-stream")


def page(call: Call, name: str, items: list[dict[str, Json]], most: int) -> dict[str, Json]:
    """One page by `pageSize` and `pageToken`; the last one has no token, an empty list has no items either."""
    query = call.request.query_params
    size, token = query.get("pageSize") or "50", query.get("pageToken") or "0"
    if not (size.isdecimal() and token.isdecimal() and len(size) < 9 and len(token) < 9):
        raise ApiError(400, "pageSize or pageToken is not valid.")
    start, count = int(token), min(int(size) or 50, most)
    found: dict[str, Json] = {name: items[start : start + count]} if items[start:] else {}
    return found | ({"nextPageToken": str(start + count)} if start + count < len(items) else {})


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
