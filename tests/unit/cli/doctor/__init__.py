"""Tests of what the doctor makes of what it sees."""
