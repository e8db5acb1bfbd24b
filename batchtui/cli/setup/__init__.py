"""Commands about the program itself: its app, its configuration, its manual."""
