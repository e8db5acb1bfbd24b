"""What screens show, as data. No Textual here."""
