"""A form: its fields and what is typed into them."""
