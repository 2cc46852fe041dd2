"""What people should hear of: the rules, the senses behind them, and what was told already."""
