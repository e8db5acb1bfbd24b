"""From a batch file and its source to jobs that are ready to send."""
