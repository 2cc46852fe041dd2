"""Values everything else is built from: errors, ids, clocks, durations, configuration."""
