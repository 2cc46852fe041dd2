"""What a worker that serves does besides pulling: its record, its messages, its runtime, health."""
