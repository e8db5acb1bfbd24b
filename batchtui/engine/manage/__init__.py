"""What is done with whole batches beside driving them: one more job, a copy, a bundle, an import, an end."""
