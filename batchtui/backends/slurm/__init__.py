"""Kind `slurm`: programs, calls and tasks on a cluster."""
