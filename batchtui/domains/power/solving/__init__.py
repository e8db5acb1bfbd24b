"""What is solved on a grid, and how: flows, what follows an outage, the cheapest dispatch."""
