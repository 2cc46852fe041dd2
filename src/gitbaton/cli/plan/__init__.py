"""How plans are read for the verbs of ``baton plan``, and how they are shown."""
