"""Configuration: the model and its reader."""
