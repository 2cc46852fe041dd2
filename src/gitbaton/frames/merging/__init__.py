"""Merging: many streams' ops on one world, resolved place by place (pure; I7)."""
