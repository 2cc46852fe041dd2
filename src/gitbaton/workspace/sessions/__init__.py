"""The sessions that share a clone: who is here, who gets a worktree, what may go with one."""
