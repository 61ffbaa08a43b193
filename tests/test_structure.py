"""Walls between the rooms, held by reading the source: what a module may import, name and touch."""

import ast
import functools
import importlib
import itertools
import re
from pathlib import Path

import pytest

import labcolor

PACKAGE = Path(labcolor.__file__).parent
REPOSITORY = Path(__file__).parents[1]

# The tables of docs/design.md list the modules; each imports only from those before it.
LAYOUT = (REPOSITORY / "docs" / "design.md").read_text(encoding="utf-8").split("\n## ")[1]
FLOORS = re.findall(r"^\| `([\w.]+)` \|", LAYOUT, re.MULTILINE)


def dotted(path):
    """The name of a module of the package, without the package's own."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


TREES = {dotted(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
# An __init__ that only says what lives in its folder, or hands out names lazily, is on no floor.
ROOMS = sorted(dotted(path) for path in PACKAGE.rglob("__init__.py") if dotted(path) not in FLOORS)
MODULES = sorted(set(TREES) - set(ROOMS))
USERS = ("tests", "examples", "benchmarks", "scripts")
OUTSIDE = [path for folder in USERS for path in sorted((REPOSITORY / folder).rglob("*.py"))]


def at_run_time(tree):
    """All nodes but those that only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from at_run_time(node)


def imports(nodes):
    """What is imported of the package: pairs of a module and a name in it, or None for the module as a whole."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("labcolor."):
                    yield alias.name.removeprefix("labcolor."), None
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "labcolor":
            assert node.level == 0, "imports are written in full"
            source = node.module.removeprefix("labcolor").removeprefix(".")
            for alias in node.names:
                inner = f"{source}.{alias.name}".removeprefix(".")
                yield (inner, None) if inner in TREES else (source, alias.name)


def is_private(name):
    """Whether a name begins with an underscore, and is no protocol's like ``__len__`` or ``_repr_html_``."""
    return name.startswith("_") and not name.endswith("_")


def touched(tree):
    """Private attributes of anything but ``self``, ``cls`` and ``super()``."""
    for node in ast.walk(tree):
        private = isinstance(node, ast.Attribute) and is_private(node.attr)
        if private and ast.unparse(node.value) not in ("self", "cls", "super()"):
            yield node.attr


@functools.cache
def used(module):
    """What a module uses of others of the package: names by module."""
    nodes = list(ast.walk(TREES[module]))
    attributes = {}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            attributes.setdefault(node.value.id, set()).add(node.attr)
    names = {}
    for source, name in imports(nodes):
        of_source = names.setdefault(source, set())
        of_source |= attributes.get(source.split(".")[-1], set()) if name is None else {name}
    return names


def defined(tree):
    """Names that a module gives itself: functions, classes, attributes that it assigns."""
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    stored = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    return names | {node.attr for node in stored}


def bound(node):
    """Names that a module gives by its own statements, also within ``if`` and ``try``, but not by its imports."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield child.name
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        else:
            yield from bound(child)


@functools.cache
def public(module):
    """What a module or a room lists in ``__all__``, or else what it defines without an underscore."""
    names = {name for name in bound(TREES[module]) if not is_private(name)}
    return set(importlib.import_module(f"labcolor.{module}".rstrip(".")).__all__) if "__all__" in names else names


def test_every_module_is_on_a_floor():
    """The tables of docs/design.md name each module once, and nothing else."""
    assert sorted(FLOORS) == MODULES


def test_imports_come_from_below():
    """No import, in a function either, goes up the floors."""
    for module in MODULES:
        for source, name in imports(at_run_time(TREES[module])):
            if name == "__version__":
                continue
            assert source in FLOORS, f"{module} imports {name} of the room {source or 'labcolor'}: name its module"
            assert FLOORS.index(source) < FLOORS.index(module), f"{module} imports {source}"


def test_no_module_uses_the_private_names_of_another():
    """What begins with an underscore is used where it is defined."""
    for module in MODULES:
        tree = TREES[module]
        taken = [name for _, name in imports(ast.walk(tree)) if name and is_private(name)]
        assert taken == [], module
        assert set(touched(tree)) - defined(tree) <= {"_exit"}, module  # os._exit


def test_one_folder_imports_tensorflow():
    """All other modules reach TensorFlow through it, or through Keras."""
    importing = set()
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "tensorflow" for name in names):
                importing.add(module)
    assert importing == {"backends.litert", "backends.tensorflow"}


def test_no_module_imports_pickle():
    """What is read from a file cannot run code: no module has a reader that could."""
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found = {name.split(".")[0] for name in names} & {
                "pickle",
                "cPickle",
                "dill",
                "joblib",
                "marshal",
                "shelve",
            }
            assert not found, module


def test_color_knows_no_network():
    """The room of color imports only itself and the ground."""
    ground = FLOORS[: FLOORS.index("color.kernels")]
    for module in (name for name in MODULES if name.startswith("color.")):
        for source, _ in imports(ast.walk(TREES[module])):
            assert source in ground or source.startswith("color."), f"{module} imports {source}"


def test_video_touches_no_private_attribute():
    """Videos are colored through the public methods of a Colorizer and its pipeline."""
    for module in (name for name in MODULES if name.startswith("video.")):
        assert list(touched(TREES[module])) == [], module


def test_the_outside_uses_public_names():
    """Tests, examples, benchmarks and scripts use what is public, or what a module defines."""
    for path in OUTSIDE:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for source, name in imports(ast.walk(tree)):
            assert not any(is_private(part) for part in source.split(".")), f"{path}: labcolor.{source} is private"
            if name is not None and name != "__version__":
                assert name in public(source), f"{path}: labcolor.{source} does not define {name}"
        assert set(touched(tree)) <= {"_exit"}, path  # os._exit


def test_names_come_from_the_module_that_defines_them():
    """What another module imports has no underscore, and is not imported there in turn."""
    for module, other in itertools.product(MODULES, TREES):
        names = used(other).get(module, set()) - {"__version__"}
        assert names <= public(module), f"{other} uses {names - public(module)} of {module}"


@pytest.mark.parametrize("module", ["errors", "metrics", "ray", "vapoursynth"])
def test_public_modules_list_their_names(module):
    """``__all__`` of a public module is true: each of its names exists, and all that it defines are listed."""
    listed = importlib.import_module(f"labcolor.{module}").__all__
    defined_there = [node for node in TREES[module].body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert sorted(listed) == sorted(node.name for node in defined_there if not is_private(node.name))


def test_each_module_says_what_it_is():
    """Its docstring begins with one line that is a sentence."""
    for module, tree in TREES.items():
        first, *rest = ast.get_docstring(tree).splitlines()
        assert first.endswith("."), module
        assert rest[:1] in ([], [""]), module


def test_each_folder_says_what_lives_in_it():
    """Every folder of modules has an ``__init__`` with one line; only the package's own goes on with an example."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert {path.parent for path in PACKAGE.rglob("__init__.py")} == folders
    for room in (dotted(folder / "__init__.py") for folder in folders - {PACKAGE}):
        assert len(ast.get_docstring(TREES[room]).splitlines()) == 1, room


def test_every_test_folder_mirrors_a_room():
    """Tests lie where what they test lies."""
    folders = {path.parent.name for path in (REPOSITORY / "tests").glob("*/test_*.py")}
    assert folders <= {path.name for path in PACKAGE.iterdir()}
