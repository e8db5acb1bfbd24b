"""Fixtures: the environment of a person with no configuration and an empty data folder."""

from tests.terminal.conftest import env

__all__ = ["env"]
