"""Widgets used by more than one screen, or too big for one."""
