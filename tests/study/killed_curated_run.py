"""Runs the curated study named on the command line with slow steps, animals a1 and a2 only; the test kills it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

if __name__ == "__main__":
    from cheap_curation import slow_correct, slow_follow, slow_two_spots

    from lampyris.study.run import Analysis, run_study

    print("begun", flush=True)
    run_study(
        sys.argv[1],
        workers=int(sys.argv[2]),
        only=("a1", "a2"),
        analysis=Analysis(slow_two_spots, slow_follow, slow_correct),
    )
