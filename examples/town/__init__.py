"""The worked example of frames: a small town. Start with ``README.md`` and ``town.py``."""
