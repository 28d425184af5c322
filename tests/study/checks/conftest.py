"""The sound study of `sound_study.py` must be importable by name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
