"""The fast transport: git's protocols spoken here, on connections that stay open.

See docs/design/fast-transport.md.
"""
