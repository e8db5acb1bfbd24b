"""Notices to an address: Slack, Discord, ntfy, or plain JSON. Words of others stay words there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from batchtui.backends.faults import NeedsPerson, Refused, Transient, TryLater, Unsure
from batchtui.backends.http import Http
from batchtui.backends.wire.address import environment_proxy
from batchtui.backends.wire.replies import raise_for
from batchtui.config.notify import Form, Receivers, form_of, webhook_address, webhook_token
from batchtui.engine.attention.notices.events import Notice
from batchtui.errors import ConfigError
from batchtui.model import Json

PAUSES = (1.0, 3.0)
"""Seconds before the second and the third try, where it may pass what stood in the way."""
SECONDS = 5.0
"""Of one try."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~-])")
_TAGS = {
    "ended": "white_check_mark",
    "failed": "x",
    "person": "raised_hand",
    "budget": "moneybag",
    "expiry": "hourglass",
}


async def webhook(settings: Receivers, notice: Notice, env: Mapping[str, str]) -> str | None:
    """Why it was not told, without the address; None: it was."""
    try:
        address, token = webhook_address(settings, env), webhook_token(settings, env)
    except ConfigError as fault:
        return str(fault)
    parts = urlsplit(address)
    path, body = _body(form_of(address, settings.form), parts.path, notice)
    http = Http(
        f"{parts.scheme}://{parts.netloc}",
        headers={"Authorization": f"Bearer {token}"} if token else None,
        proxy=environment_proxy(address),
        timeout=SECONDS,
    )
    try:
        return await _post(http, f"{path}?{parts.query}" if parts.query else path, body)
    finally:
        await http.aclose()


async def _post(http: Http, path: str, body: Json) -> str | None:
    for pause in (*PAUSES, None):
        try:
            raise_for(await http.request_json("POST", path, json=body))
        except (TryLater, Transient) as fault:
            if pause is None:
                return fault.message
            asked = fault.after or 0.0
            await asyncio.sleep(max(pause, min(asked, PAUSES[-1])))
        except (Refused, NeedsPerson) as fault:
            return fault.message
        except Unsure as fault:
            return str(fault)
        else:
            return None
    return None


def _body(form: Form, path: str, notice: Notice) -> tuple[str, Json]:
    """Where below the host it goes, and what."""
    if form == "slack":
        return path, {"text": f"*{_slack(notice.title)}*\n{_slack(notice.text)}", "unfurl_links": False}
    if form == "discord":
        return path, {
            "content": f"**{_plain(notice.title)}**\n{_plain(notice.text)}",
            "allowed_mentions": {"parse": []},
        }
    if form == "ntfy":  # as JSON it goes to the root, the topic inside
        root, _, topic = path.rstrip("/").rpartition("/")
        told = {
            "topic": unquote(topic),
            "title": notice.title,
            "message": notice.text,
            "tags": [_TAGS[notice.event]],
        }
        return root or "/", told
    return path or "/", notice.document()


def _plain(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _slack(text: str) -> str:
    """No mention and no link of others: `<!channel>` calls everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
