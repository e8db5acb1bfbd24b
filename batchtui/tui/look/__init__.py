"""How things look: their words, figures, glyphs and colours."""
