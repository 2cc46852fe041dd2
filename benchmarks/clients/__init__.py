"""Processes that do the measured work: one job in on standard input, one result out.

They run where the client is, in a network namespace of its own if the link has one.
"""
