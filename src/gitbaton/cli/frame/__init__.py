"""What the verbs of ``baton frame`` read and show."""
