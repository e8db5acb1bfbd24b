"""Whether an address may be given a key: https, or this machine, and nothing hidden in it."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from batchtui.text import cell

_METADATA_HOSTS = frozenset({"metadata.google.internal", "metadata.goog", "instance-data"})
_METADATA_ADDRESSES = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16"})
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def base_url_fault(url: str) -> str | None:
    """What is wrong with a base_url, never showing a password in it; None where it may be used."""
    if not url.strip():
        return "is empty; expected an address such as https://api.example.com/v1"
    if any(char.isspace() or not char.isprintable() for char in url) or "\\" in url:
        return "holds a space, backslash or control character"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "is not an address"
    if parts.username is not None or parts.password is not None:
        return "holds a user or password; take them out and name the key with api_key_env"
    if parts.scheme not in ("http", "https"):
        return f'expected https://…, got the scheme "{cell(parts.scheme, 20)}"'
    try:
        port_fits = parts.port is None or 1 <= parts.port <= 65535
    except ValueError:
        port_fits = False
    if not port_fits:
        return "the port must be a number from 1 to 65535"
    if not host or ascii_host(url) is None:
        return "names no usable host"
    if parts.query or parts.fragment:
        return "takes no ? or # part"
    return _host_fault(parts.scheme, ascii_host(url) or "")


def ascii_host(url: str) -> str | None:
    """The host as it goes on the wire, look-alike letters as punycode (xn--…); None where it is no host name."""
    host = urlsplit(url).hostname or ""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return None


def non_ascii_host(url: str) -> str | None:
    """The punycode of a host that is not plain ASCII, for a warning; None for a plain one."""
    host = urlsplit(url).hostname or ""
    return None if host.isascii() else ascii_host(url)


def _host_fault(scheme: str, host: str) -> str | None:
    address = _address(host)
    plain = host.rstrip(".").lower()
    if plain in _METADATA_HOSTS or (
        address and (address.is_link_local or str(address) in _METADATA_ADDRESSES)
    ):
        return "is a link-local or cloud metadata address; no backend lives there"
    loopback = address.is_loopback if address else plain == "localhost" or plain.endswith(".localhost")
    if scheme != "https" and not loopback:
        return f"would send the key to {cell(host, 80)} in clear; use https (http only on this machine)"
    return None


def _address(host: str) -> _Address | None:
    """The IP address a host text means, also written as one number, in hex or octal, or as IPv6 around IPv4."""
    try:
        address: _Address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
