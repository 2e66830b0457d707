"""`python -m raymap`: the same as the console script."""

from raymap.cli import main

if __name__ == "__main__":
    main()
