"""This clone: where it is, how it is set up, and the sessions that share it."""
