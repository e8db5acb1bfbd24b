"""Before anything is sent: jobs checked, counted, and put together into submissions."""
