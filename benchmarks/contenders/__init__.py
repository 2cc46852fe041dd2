"""What is compared: gitbaton, and straightforward versions of what people do today.

Each claims the next free task for good. None of them is given anything that the others lack: a
clone of its own, the same remote, the same link.
"""
