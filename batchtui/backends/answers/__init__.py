"""What counts as an answer: replies of every provider, read into outcomes by one rule."""
