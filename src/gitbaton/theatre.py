"""Puts the parts of a shared world together: the clone's store and remote under the frames."""
