"""Runs the study named on the command line with the slow step, animals a1 and a2 only; the test kills it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

if __name__ == "__main__":
    from cheap_step import cheap_follow, slow_step

    from lampyris.study.run import Analysis, run_study

    print("begun", flush=True)
    run_study(sys.argv[1], workers=int(sys.argv[2]), only=("a1", "a2"), analysis=Analysis(slow_step, cheap_follow))
