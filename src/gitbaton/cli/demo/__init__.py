"""The guided tour: a fleet on this machine that uses ``baton`` as a person would.

Nothing here imports the library below the command line. What is shown is done by ``baton`` and
``git`` in processes of their own, and what is verified is read back from git and ``--json``.
"""
