"""What ``baton doctor`` looks at. Each room returns findings; only the verb prints them."""
