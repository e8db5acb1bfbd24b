"""What the app runs on: backends, what lives there, and the settings."""
