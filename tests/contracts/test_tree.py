"""What every file of the project must or must not hold."""

import csv
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "lampyris"

# Spelt in pieces, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w./~{}$)-])/" + r"(?:root|home|Users|work|tmp|mnt|opt)" + r"/\w",
    "a host of a registry": "|".join(
        re.escape(name + "." + end)
        for name, end in [
            ("pypi", "org"), ("python" + "hosted", "org"), ("ana" + "conda", "org"), ("np" + "mjs", "org"),
            ("crates", "io"), ("docker", "io"), ("gh" + "cr", "io"), ("deb.deb" + "ian", "org"),
        ]
    ),
    "an address of a package index": r"(?:--(?:extra-)?index-url|--find-links|-i\s+https?:)" + r"[\s=]",
}  # fmt: skip


def project_files() -> list[Path]:
    """Files that are or could be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str | None:
    data = path.read_bytes()
    return None if b"\0" in data else data.decode("utf-8")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names_a_machine_or_a_registry(what):
    pattern = re.compile(FORBIDDEN[what])
    files = project_files()
    assert ROOT / "pyproject.toml" in files
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files
        for number, line in enumerate((text_of(path) or "").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a path of one machine", 'open("/' + 'home/ann/data.tif")'),
        ("a path of one machine", "see /" + "work/main"),
        ("a host of a registry", "https://py" + "pi.org/simple"),
        ("an address of a package index", "pip install --index" + "-url https://mirror"),
    ],
)
def test_the_patterns_see(what, line):
    assert re.search(FORBIDDEN[what], line)


# designs of virtual studies are choices of what to simulate, not constants of nature
CHOICES = {PACKAGE / "virtual" / "data" / "default.toml"}


def tables_of_constants() -> list[Path]:
    tables = {path for kind in ("csv", "toml") for path in PACKAGE.glob(f"*/data/**/*.{kind}")}
    return sorted(tables - CHOICES)


UNIT = re.compile(
    r"(?:^|_)(?:nm|um|mm|mm2|mm3|cm|cm2|m|mg|g|kg|ml|ms|s|min|h|hours?|days?|ev|mev|m_e|kda|per_\w+)(?:_sd|_low|_high)?$",
    re.IGNORECASE,
)
# pure numbers, by what they are called
PURE = re.compile(
    r"(?:^|_)(?:share|fraction|ratio|weight|spread|part|number|count|index|relative|anisotropy)$|(?:^|_)relative_sd|^axis_[xyz]$"
)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def faults_of_csv(path: Path) -> list[str]:
    """Rows without a citation; rows without a unit, or numeric columns whose name says none.

    A comment line ``# citation: ...`` or ``# unit: ...`` serves the whole table, and one that says "unit" serves the
    columns it names.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    said = {word for line in comments if re.search(r"\bunit", line) for word in re.findall(r"\w+", line)}
    reader = csv.DictReader(line for line in lines if not line.startswith("#"))
    rows = list(reader)
    columns = list(reader.fieldnames or [])
    cited = [name for name in columns if name in {"citation", "source"}]
    once = any(re.match(r"# citation: *\S", line) for line in comments)
    faults = [] if cited or once else ["no column citation"]
    for number, row in enumerate(rows, 1):
        if cited and not all((row[name] or "").strip() for name in cited):
            faults.append(f"row {number}: no citation")
        if "unit" in columns and not (row["unit"] or "").strip():
            faults.append(f"row {number}: no unit")
    if "unit" in columns or any(re.match(r"# unit: *\S", line) for line in comments):
        return faults
    numeric = [name for name in columns if any(is_number(row[name] or "") for row in rows)]
    bare = [name for name in numeric if name not in said and not UNIT.search(name) and not PURE.search(name)]
    return faults + [f"column {name}: no unit" for name in bare]


def faults_of_toml(path: Path) -> list[str]:
    """Tables that give a value without a citation or a unit; one citation above serves all tables below it."""
    faults: list[str] = []

    def visit(entry: object, name: str, cited: bool, united: bool) -> None:
        if isinstance(entry, list):
            for index, part in enumerate(entry):
                visit(part, f"{name}[{index}]", cited, united)
            return
        if not isinstance(entry, dict):
            return
        cited = cited or bool(str(entry.get("citation", entry.get("source", ""))).strip())
        united = united or bool(str(entry.get("unit", "")).strip())
        numbers = [
            key for key, part in entry.items()
            if (isinstance(part, (int, float)) and not isinstance(part, bool))
            or (isinstance(part, list) and part and isinstance(part[0], (int, float)))
        ]  # fmt: skip
        if numbers and not cited:
            faults.append(f"{name or 'top'}: {', '.join(numbers)} without a citation")
        bare = [key for key in numbers if not UNIT.search(key) and not PURE.search(key)]
        if bare and not united:
            faults.append(f"{name or 'top'}: {', '.join(bare)} without a unit")
        for key, part in entry.items():
            visit(part, f"{name}.{key}" if name else key, cited, united)

    visit(tomllib.loads(path.read_text(encoding="utf-8")), "", False, False)
    return faults


def test_there_are_constants_to_check():
    assert len(tables_of_constants()) >= 3


@pytest.mark.parametrize("path", tables_of_constants(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_constants_carry_citation_and_unit(path):
    assert (faults_of_csv if path.suffix == ".csv" else faults_of_toml)(path) == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.csv", "name,value,unit\nliver,1.3,g\n", "no column citation"),
        ("a.csv", "name,value,unit,citation\nliver,1.3,g,\n", "row 1: no citation"),
        ("a.csv", "name,value,unit,citation\nliver,1.3,,Somebody 2001\n", "row 1: no unit"),
        (
            "a.csv",
            "name,value,citation\nliver,1.3,Somebody 2001\n",
            "column value: no unit",
        ),
        ("a.csv", "# citation:\n# unit: g\nname,value\nliver,1.3\n", "no column citation"),
        ("a.toml", "[liver]\nmass_g = 1.3\n", "liver: mass_g without a citation"),
        ("a.toml", "[liver]\nvalue = 1.3\ncitation = 'Somebody 2001'\n", "liver: value without a unit"),
    ],
)
def test_a_row_without_citation_or_unit_is_seen(tmp_path, name, text, fault):
    path = tmp_path / name
    path.write_text(text)
    assert (faults_of_csv if path.suffix == ".csv" else faults_of_toml)(path) == [fault]


def test_python_files_stay_readable():
    """Modules past 800 lines are redesigned, not grown."""
    long = {
        str(p.relative_to(ROOT)): n
        for p in project_files()
        if p.suffix == ".py" and (n := len(p.read_text().splitlines())) > 800
    }
    assert long == {}


def test_every_pin_is_exact_and_covers_what_is_declared():
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", pin) for pin in pins)
    pinned = {pin.partition("==")[0].lower() for pin in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    declared += [entry for group in project["dependency-groups"].values() for entry in group]
    assert {re.split(r"[<>=~!]", entry)[0].lower() for entry in declared} <= pinned
