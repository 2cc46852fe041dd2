"""Messages for a machine, kept on that machine: ``docs/design/inbox.md``."""
