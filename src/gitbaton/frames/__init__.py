"""Frames: a fleet of agents advances one shared world tick by tick; deltas merge exactly once."""
