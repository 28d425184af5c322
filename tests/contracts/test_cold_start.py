"""Importing the package and asking for help load nothing heavy, write no file and set no option."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "numpy", "scipy", "numba", "llvmlite", "pandas", "xarray", "matplotlib", "pyarrow", "zarr", "numcodecs",
    "tifffile", "jinja2", "pydantic", "tqdm", "shtab", "PIL", "dask",
}  # fmt: skip

# Runs `BODY` and reports what it loaded, what it opened for writing and which options it changed.
PROBE = """
import json, os, sys, warnings
written = []
def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.append(str(path))
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.symlink", "os.link", "os.truncate"):
        written.append(f"{event} {arguments[0]}")
options = lambda: [dict(os.environ), os.getcwd(), [str(f) for f in warnings.filters], sys.path[:], sys.stdout.errors]
sys.addaudithook(watch)
before = options()
BODY
after = options()
print()
print(json.dumps({"modules": sorted({m.partition(".")[0] for m in sys.modules}), "written": written,
                  "changed": before != after}))
"""


def look(body: str, folder: Path) -> dict:
    """What a fresh interpreter without bytecode caching does when it runs `body` in an empty folder."""
    script = PROBE.replace("BODY", body)
    done = subprocess.run([sys.executable, "-B", "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_import_loads_nothing_heavy_and_leaves_no_trace(tmp_path):
    seen = look("import lampyris", tmp_path)
    assert "lampyris" in seen["modules"]
    assert HEAVY & set(seen["modules"]) == set()
    assert seen["written"] == []
    assert not seen["changed"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["demo", "--help"], ["check"], ["no-such-verb"]]
)
def test_help_and_wrong_usage_load_nothing_heavy(tmp_path, arguments):
    seen = look(f"from lampyris.cli import main; main({arguments!r})", tmp_path)
    assert "argparse" in seen["modules"]
    assert HEAVY & set(seen["modules"]) == set()
    assert seen["written"] == []


def test_the_probe_itself_sees(tmp_path):
    seen = look("import numpy, warnings; warnings.simplefilter('error'); open('left.txt', 'w').close()", tmp_path)
    assert "numpy" in seen["modules"]
    assert seen["written"] == ["left.txt"]
    assert seen["changed"]


def test_public_names_come_from_their_rooms():
    import lampyris

    for name in lampyris.__all__:
        assert getattr(lampyris, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lampyris.nothing
