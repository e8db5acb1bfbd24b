"""Reading what came back: queries, export."""
