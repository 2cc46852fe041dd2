"""The store without git."""
