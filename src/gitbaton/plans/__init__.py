"""Plans: files of phases, what is wrong with them, and which worker should take what (pure)."""
