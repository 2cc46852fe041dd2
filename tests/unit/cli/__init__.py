"""The rules of the command line, without processes."""
