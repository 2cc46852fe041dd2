"""What ``worker add|list|doctor`` know of machines, and how they show it."""
