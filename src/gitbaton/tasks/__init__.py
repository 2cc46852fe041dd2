"""Tasks: state machine, claims, leases, gates, reservations (pure); the queue over a store."""
