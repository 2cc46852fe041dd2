"""Tasks: their states, claims, leases, gates and reservations (pure), and the queue over a store."""
