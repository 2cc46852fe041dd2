"""What the scripted agents work on: a small text adventure, its check, and the agent itself.

These files are copied and run elsewhere, by a bare interpreter: standard library only.
"""
