"""gitbaton: coordination for fleets of AI coding agents, on nothing but a git remote."""

__version__ = "0.1.0"
