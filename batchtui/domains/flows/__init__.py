"""Kind `buttermilk`: flows over records."""
