"""The hook snapshot: hooks run in a private checkout of exactly the tree being committed."""
