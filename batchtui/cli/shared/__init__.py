"""What more than one command needs: its words, its session, the worker that it drives."""
