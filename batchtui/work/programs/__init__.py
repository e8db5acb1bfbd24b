"""Programs on this machine: started, awaited, ended whole, and found again after a crash."""
