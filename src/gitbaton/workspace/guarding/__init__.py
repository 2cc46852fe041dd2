"""Git hooks of our own: no commit and no push for a task that this session does not hold."""
