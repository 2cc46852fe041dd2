"""Real git servers for tests, without pytest: each is a context manager or a plain function."""
