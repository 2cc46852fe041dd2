"""A hundred agents on five machines, while workers and primaries are killed and delayed."""
