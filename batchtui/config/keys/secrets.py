"""Keys fetched from where the config points: a variable, a command, the keyring. Blocking; never on a screen's thread."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence

from batchtui.catalog import card_of
from batchtui.config.keys.held import held
from batchtui.config.providers import usual_key_env
from batchtui.config.shape import BackendConfig
from batchtui.errors import ConfigError, KeyMissing
from batchtui.masking import know
from batchtui.text import Secret, cell

COMMAND_SECONDS = 10.0
NO_KEY_NEEDED = "no key needed"


def resolve_key(backend: BackendConfig, env: Mapping[str, str] = os.environ) -> Secret | None:
    """The backend's key; None where none is configured. Raises ConfigError, which never shows a key.

    A backend without a reference takes the usual variable of its kind or dialect, but only at the provider's own address:
    a key is not sent to another host unless the config says so.
    """
    table, where = backend.table, _where(backend)
    if variable := table.get("api_key_env"):
        return env_key(variable, env, f"{where}.api_key_env")
    if command := table.get("api_key_command"):
        return _usable(_from_command(command, env, where), f"{where}.api_key_command")
    if entry := table.get("api_key_keyring"):
        return _usable(_from_keyring(entry, where), f"{where}.api_key_keyring")
    usual = _usual(backend, env)
    return env_key(usual, env, where) if usual and env.get(usual) else None


def env_key(variable: str, env: Mapping[str, str], where: str) -> Secret:
    """The key in that variable; `where` begins the message. Raises ConfigError where it is unset or unusable."""
    value = held(variable) or env.get(variable)
    if not value:
        raise KeyMissing(
            f"{where}: {cell(variable)} is not set; set it, or give the file that holds it by --env-file"
        )
    return _usable(value, f"{where}: {cell(variable)}")


def key_state(backend: BackendConfig, env: Mapping[str, str] = os.environ) -> str:
    """Where the key comes from, and whether it is there as far as can be told without fetching it."""
    table = backend.table
    card = card_of(backend.kind)
    if card and not card.takes_key:
        return NO_KEY_NEEDED
    if card and card.key_settings:
        names = [table.get(setting) or usual for setting, usual in card.key_settings.items()]
        return ", ".join(f"{cell(name, 40)} is {'set' if env.get(name) else 'not set'}" for name in names)
    variable = table.get("api_key_env") or _usual(backend, env)
    if table.get("api_key_command"):
        return f"from the command {cell(table['api_key_command'][0], 40)}"
    if table.get("api_key_keyring"):
        return f"from the keyring entry {cell(table['api_key_keyring'], 40)}"
    if not variable:
        return "no key configured"
    return f"{cell(variable)} is {'set' if env.get(variable) else 'not set'}"


def _where(backend: BackendConfig) -> str:
    return f"{cell(backend.origin)}: backends.{cell(backend.name, 40)}"


def _usual(backend: BackendConfig, env: Mapping[str, str]) -> str | None:
    table = backend.table
    given = table.get("dialect") or table.get("api")
    name = given if isinstance(given, str) else backend.kind
    return None if table.get("base_url") else usual_key_env(name, env)


def _usable(key: str, where: str) -> Secret:
    if not key.strip():
        raise ConfigError(f"{where}: the key is empty")
    if not key.isascii():
        raise ConfigError(
            f"{where}: the key holds a character outside ASCII (it is not shown); copy it again"
        )
    if not key.isprintable():
        raise ConfigError(
            f"{where}: the key holds a control character or newline (it is not shown); copy it again"
        )
    know(key)
    return Secret(key)


def _from_command(command: Sequence[str], env: Mapping[str, str], where: str) -> str:
    """The first line that the command prints, ended with all it started after COMMAND_SECONDS. No shell."""
    import subprocess

    at = f"{where}.api_key_command: {cell(command[0], 40)}"
    try:
        process = subprocess.Popen(
            command,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as fault:
        raise ConfigError(f"{at} cannot be started ({fault.strerror})") from None
    try:
        output, _ = process.communicate(timeout=COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{at} gave no key within {COMMAND_SECONDS:g} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout:
            process.stdout.close()
    if process.returncode:
        raise ConfigError(f"{at} ended with {process.returncode}; run it by hand to see why")
    try:
        return output.decode().split("\n", 1)[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise ConfigError(f"{at} printed something that is not text") from None


def _from_keyring(entry: str, where: str) -> str:
    """The entry `service/user`; a bare `user` is of the service batchtui."""
    at = f"{where}.api_key_keyring"
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise ConfigError(f'{at} needs the extra: pip install "batchtui[keyring]"') from None
    service, _, user = entry.rpartition("/")
    service = service or "batchtui"
    try:
        key: str | None = keyring.get_password(service, user)
    except (KeyringError, RuntimeError, OSError):
        raise ConfigError(
            f"{at}: the keyring cannot be read; is it unlocked, or is there none here?"
        ) from None
    if key is None:
        raise ConfigError(
            f"{at}: no entry {cell(entry)}; add it with: keyring set {cell(service)} {cell(user)}"
        )
    return key
