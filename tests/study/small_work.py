"""Work of tasks in the tests of the graph; importable by name in worker processes."""

import os


def copy_and_count(study, folder):
    """Copy the input and leave a mark per call outside the outputs."""
    (folder / "copy.txt").write_bytes((study / "in.txt").read_bytes())
    (folder / "many").mkdir()
    (folder / "many/part").write_text("part")
    with (study / f"calls-{folder.name}").open("a") as stream:
        stream.write("x")


def fail(error, study, folder):
    (folder / "copy.txt").write_text("half")
    raise error


def die(study, folder):
    os._exit(9)


def write_nothing(study, folder):
    pass
