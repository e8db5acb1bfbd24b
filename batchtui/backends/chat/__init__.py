"""Kind `chat`: requests one by one to a server that speaks chat completions."""
