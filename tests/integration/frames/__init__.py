"""The frames' protocol: worlds that survive every kill, every lost answer and two primaries."""
