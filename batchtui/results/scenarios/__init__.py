"""Tables and files of scenarios: where they lie, how they are written and read."""
