"""The rules of tasks, room by room, and the queue over the memory engine."""
