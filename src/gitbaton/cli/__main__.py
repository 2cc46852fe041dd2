"""``python -m gitbaton.cli`` is ``baton``."""

from gitbaton.cli.main import main

if __name__ == "__main__":
    main()
