"""The parts of a run: each measures one thing and adds it to the document."""
