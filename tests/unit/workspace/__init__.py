"""A clone and the sessions that share it."""
