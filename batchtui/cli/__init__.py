"""The commands: everything the app does, without a screen."""
