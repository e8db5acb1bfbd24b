"""Kind `local`: programs, Python calls and tasks on this machine."""
