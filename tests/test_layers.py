# SPDX-License-Identifier: GPL-2.0-only
"""Imports go downwards only: a package of the lab knows those that come before it."""
import ast
import unittest
from pathlib import Path

LAB = Path(__file__).resolve().parent.parent / "lab"
ORDER = ("core", "model", "patches", "build", "vm", "judge", "flows", "cli")
# A verdict knows nothing of a running guest.
APART = {("judge", "vm"), ("judge", "build")}


def imports(path):
    """The packages of the lab that a module imports from, with the line of each."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.relative_to(LAB).parts[:-1]
            module = (node.module or "").split(".")
            whole = [*folder[:len(folder) - node.level + 1], *filter(None, module)]
            for name in [whole] if whole else [[alias.name] for alias in node.names]:
                yield name[0], node.lineno


def wrong(package, other):
    return (package, other) in APART or ORDER.index(other) > ORDER.index(package)


class Layers(unittest.TestCase):
    def test_every_package_has_its_place(self):
        found = {path.parent.name for path in LAB.glob("*/__init__.py")}
        self.assertEqual(found, set(ORDER))

    def test_imports_go_downwards(self):
        for package in ORDER:
            for path in sorted((LAB / package).rglob("*.py")):
                for other, line in imports(path):
                    self.assertFalse(wrong(package, other),
                                     f"{path.relative_to(LAB)}:{line} imports {other}")

    def test_control_an_import_upwards_is_seen(self):
        self.assertTrue(wrong("core", "model"))
        self.assertTrue(wrong("judge", "vm"))
        self.assertFalse(wrong("flows", "judge"))


if __name__ == "__main__":
    unittest.main()
