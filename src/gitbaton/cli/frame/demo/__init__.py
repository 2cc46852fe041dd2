"""The tour of frames: a town of a hundred residents on three machines, some of which fail.

As ``cli/demo``: what is shown is done by ``baton`` and ``git`` in processes of their own, and what
is verified is read back from git.
"""
