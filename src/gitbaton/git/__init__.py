"""Git itself: remotes, objects, repositories, worktrees. The only caller of the git binary."""
