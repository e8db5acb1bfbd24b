"""What runs one array element's share of a submission on a cluster's node: `python -m slurm_runner FOLDER`.

A copy of this package lies in the run folder and is run by the node's Python (3.8 or newer), so it needs the standard
library only. Nothing here depends on the machine that submitted: results go to files of the run folder, one file an
element and restart, and a task that has a result is never run again.
"""
