"""From a batch file and its source to jobs that can be rendered."""
