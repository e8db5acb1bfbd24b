"""What a person looks at beside single results: tables and pictures over a batch's results."""
