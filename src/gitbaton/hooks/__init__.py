"""Tells the world outside what happens: commands and webhooks, beside the work."""
