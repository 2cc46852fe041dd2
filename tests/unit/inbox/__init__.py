"""The inbox: its rules, and its behaviour on a store in memory."""
