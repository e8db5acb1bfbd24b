"""What somebody is told of a batch, once, whoever drives it: events, who they are for, and the ways to tell them."""
