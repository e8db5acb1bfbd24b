"""Jobs on their way: direct ones run, remote ones sent at most once and watched."""
