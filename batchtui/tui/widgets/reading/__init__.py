"""What a result is read in, beside lines of text: a tree, a picture."""
