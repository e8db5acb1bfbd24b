"""Around the solvers: what a scenario is made of, what stands already, and the summary at the end."""
