"""Lantern Bay: a hundred scripted residents who share one living world.

Standard library only: a stream is any program, and these files are run by a bare interpreter.
"""
