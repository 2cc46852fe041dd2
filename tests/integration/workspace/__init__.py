"""A real clone, with and without a remote."""
