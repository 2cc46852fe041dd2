"""The record store: one operation, compare-and-swap on several records at once."""
