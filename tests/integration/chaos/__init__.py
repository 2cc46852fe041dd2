"""Machinery of the race and kill tests: fleets on real remotes, and what breaks them."""
