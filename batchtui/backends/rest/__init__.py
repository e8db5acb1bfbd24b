"""Kind `rest`: any submit, poll and fetch JSON API, described in the config."""
