"""Where it is measured: links of known length, real servers behind them, repositories."""
