"""The rooms import downwards only, and the check that says so can fail."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"

LAYERS = "rooms import downwards only"
# case: file that is written to, the line it gains, the contract that must break
BREACHES = {
    "core imports trial": ("core/flags.py", "import lampyris.trial", LAYERS),
    "io imports study": ("io/__init__.py", "import lampyris.study", LAYERS),
    "tissue imports camera": ("tissue/__init__.py", "import lampyris.camera", LAYERS),
    "study imports virtual": ("study/__init__.py", "import lampyris.virtual", LAYERS),
    "a room that no layer names": ("odds_and_ends/__init__.py", "", LAYERS),
    "cli reads the truth": (
        "cli/studies.py",
        "import lampyris.virtual.truth",
        "only virtual and trial see the truth",
    ),
    "imaging opens a file": (
        "imaging/inputs.py",
        "import tifffile",
        "science rooms open no file and draw no plot",
    ),
    "radiance knows lesions": (
        "imaging/radiance/calibrate.py",
        "import lampyris.imaging.following.follow",
        "imaging goes from counts to lesions",
    ),
    "core computes": ("core/flags.py", "import scipy", "core computes nothing"),
}


def broken_contracts(root: Path) -> set[str]:
    """Names of the contracts that the package under `root` breaks; raises where the check itself could not run."""
    # the copy comes first on the path, before the installed package
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run([sys.executable, "-c", RUN], cwd=root, env=environment, capture_output=True, text=True)
    kept, broken = (
        set(re.findall(rf"^(.+?) {verdict}\b", done.stdout, re.MULTILINE)) for verdict in ("KEPT", "BROKEN")
    )
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    contracts = {contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}
    if kept | broken != contracts or (done.returncode == 0) == bool(broken):
        raise RuntimeError(f"import-linter did not check every contract:\n{done.stdout}{done.stderr}")
    return broken


def test_every_contract_is_kept():
    assert broken_contracts(ROOT) == set()


@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_breaks_its_contract(tmp_path, case):
    file, line, contract = BREACHES[case]
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    target = tmp_path / "src" / "lampyris" / file
    target.parent.mkdir(exist_ok=True)
    with target.open("a") as stream:
        stream.write(f"\n{line}\n")
    assert contract in broken_contracts(tmp_path)
