"""Runs the study named first with the light that lies in the folder named second, as worker processes do; the test kills it."""

import sys
from pathlib import Path

if __name__ == "__main__":
    from lampyris.cli import main
    from lampyris.study.graph.light import use_light
    from lampyris.virtual.design import default_design

    use_light(default_design().instrument, Path(sys.argv[2]))
    sys.exit(main(["run", sys.argv[1], "--json"]))
