"""What the first screen offers: a file of one's own, a provider, a tour."""
