"""Frames: a fleet of agents advances one shared world tick by tick; deltas merge exactly once."""

from gitbaton.frames.op import Add, Append, Delete, Incr, Max, Merge, Min, Op, Remove, Set
from gitbaton.frames.stream import OpsWriter, Stream, StreamView, open_view, open_writer

__all__ = [
    "Add",
    "Append",
    "Delete",
    "Incr",
    "Max",
    "Merge",
    "Min",
    "Op",
    "OpsWriter",
    "Remove",
    "Set",
    "Stream",
    "StreamView",
    "open_view",
    "open_writer",
]
