"""What holds a batch up until a person has spoken, how people are told, and what each of their commands does."""
