"""Benchmarks: gitbaton beside what people use today, on the same machine, remote and link.

``python -m benchmarks`` runs them; ``docs/reference/benchmarks.md`` says what is measured and how.
"""
