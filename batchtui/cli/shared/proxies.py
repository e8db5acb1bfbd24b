"""Which proxy a backend is reached through, as far as may be shown."""

from __future__ import annotations

from batchtui.backends.registry import default_address
from batchtui.backends.wire.address import environment_proxy
from batchtui.backends.wire.replies import place
from batchtui.config import BackendConfig
from batchtui.errors import ConfigError


def proxy_of(backend: BackendConfig) -> str | None:
    """Scheme, host and port of the proxy, without its user and password; None where there is none."""
    named = backend.table.get("proxy")
    try:
        address = backend.table.get("base_url") or default_address(backend.kind)
    except ConfigError:  # told where the backend is asked for
        address = None
    proxy = (
        named if isinstance(named, str) else environment_proxy(address) if isinstance(address, str) else None
    )
    return place(proxy) if proxy else None
