"""Commits that say exactly what is in them, from a working tree that many sessions share."""
