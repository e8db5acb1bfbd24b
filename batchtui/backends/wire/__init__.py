"""What goes over the wire, for every remote kind; nothing here imports the HTTP library."""
