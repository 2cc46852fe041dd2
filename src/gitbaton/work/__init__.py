"""The worker: agents, worktrees, checks, landing, rescue."""
