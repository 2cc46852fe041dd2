"""What ``baton commit`` reads and prints."""
