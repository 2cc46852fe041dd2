"""Properties: what holds for every input, looked for by Hypothesis."""
