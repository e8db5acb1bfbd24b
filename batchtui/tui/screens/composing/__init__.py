"""The compose screen."""
