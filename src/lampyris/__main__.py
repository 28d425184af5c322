"""``python -m lampyris``: the command line."""

from lampyris.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
