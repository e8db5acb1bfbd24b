"""How anything gets to the disk: whole lines, sealed, synced."""
