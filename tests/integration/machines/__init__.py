"""Machines in miniature, each with an sshd, a home and a clone of its own, and a plan across them.

`lab` joins them (by network namespaces, or over loopback), `story` lets a plan run while machines
and programs fail, `verdict` judges from the remote's history alone.
"""
