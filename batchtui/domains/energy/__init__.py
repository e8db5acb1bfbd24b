"""Kind `daly`: energy models at Daly Energy."""
