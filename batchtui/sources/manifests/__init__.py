"""Scenario manifests as a source: four shapes, one kind of row."""
