"""One suite for every engine. To add an engine, add one entry to ``engines.ENGINES``."""
