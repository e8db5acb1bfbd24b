"""The user's configuration: backends, defaults, prices, limits, and the keys that are named but never held."""

from batchtui.config.editing.edit import append_backend, init_config
from batchtui.config.editing.show import origins
from batchtui.config.keys.env_file import read_env_file
from batchtui.config.keys.key_variables import key_variables
from batchtui.config.keys.secrets import env_key, key_state, resolve_key
from batchtui.config.load import load_config
from batchtui.config.paths import config_path, data_dir, settings_path
from batchtui.config.settings import load_settings, save_settings
from batchtui.config.shape import BUILT_IN, ENVIRONMENT, BackendConfig, Config, ConfigLimits, Defaults

__all__ = [
    "BUILT_IN",
    "ENVIRONMENT",
    "BackendConfig",
    "Config",
    "ConfigLimits",
    "Defaults",
    "append_backend",
    "config_path",
    "data_dir",
    "env_key",
    "init_config",
    "key_state",
    "key_variables",
    "load_config",
    "load_settings",
    "origins",
    "read_env_file",
    "resolve_key",
    "save_settings",
    "settings_path",
]
