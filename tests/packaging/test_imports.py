# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What may import what: down the floors only, in no circle, and in the core nothing of the world outside."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "aegis"
# From the ground up. Rooms of one floor do not know each other; those with one module are files of the package itself.
FLOORS = [
    {"core"},
    {"ament_license", "state", "resources", "models", "heartbeat", "secret_files", "error_reports"},
    {"decision_key"},
    {"drivers", "simulation"},
    {"training"},
    {"ros"},
    {"foxglove", "bridge", "sapient"},
    {"graph"},
    {"bench"},
    {"cli"},
    {"__main__"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# Every module of the package by name, but the databases' migrations, which alembic loads.
FILES = {name_of(path): path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts}


@cache
def sources() -> dict[str, ast.Module]:
    """Return the modules; parsed when a test runs, and not when tests are collected."""
    return {name: ast.parse(path.read_text(encoding="utf-8"), str(path)) for name, path in FILES.items()}


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield what is imported anywhere in it, within functions too: the full names, of modules or of what is in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def arrows() -> dict[str, set[str]]:
    """Return for every module those of ours that it imports."""
    modules = sources()
    out: dict[str, set[str]] = {name: set() for name in modules}
    for name, tree in modules.items():
        for target in imported(tree):
            module = target if target in modules else target.rpartition(".")[0]
            if module in modules and module not in (name, "aegis"):
                out[name].add(module)
    return out


def room_of(module: str) -> str:
    return module.split(".")[1]


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of nodes that reach each other (Tarjan's strongly connected components) of more than one."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def test_every_room_has_a_floor():
    rooms = {room_of(name) for name in sources() if name != "aegis"}
    assert rooms == set(FLOOR_OF)


@pytest.mark.parametrize("room", [room for rooms in FLOORS for room in sorted(rooms)])
def test_imports_go_down(room):
    up = [
        f"{name} -> {other}"
        for name, others in arrows().items()
        if name != "aegis" and room_of(name) == room
        for other in sorted(others)
        if room_of(other) != room and FLOOR_OF[room_of(other)] >= FLOOR_OF[room]
    ]
    assert not up


def test_no_modules_import_each_other():
    assert not circles(arrows())


def test_the_search_for_circles_finds_them():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"f"}, "f": {"e", "a"}}
    assert sorted(circles(graph)) == [["b", "c"], ["e", "f"]]


# Of the world outside: files, clocks, processes, networks, ROS. A core that has none of them gives the same for the same input.
OUTSIDE = {
    "os", "pathlib", "shutil", "tempfile", "glob", "fileinput", "sqlite3", "subprocess", "socket", "select", "asyncio",
    "time", "datetime", "rclpy", "launch", "builtin_interfaces",
}  # fmt: skip
CALLS = {"open", "input", "print", "exec", "eval", "__import__"}


def outside(tree: ast.AST) -> list[str]:
    """Return the uses of the world outside in a module."""
    found = [name for name in imported(tree) if name.split(".")[0] in OUTSIDE or name.split(".")[0].endswith("_msgs")]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in CALLS:
                found.append(f"{node.func.id}() in line {node.lineno}")
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("open", "tofile", "fromfile", "savetxt"):
                found.append(f".{node.func.attr}() in line {node.lineno}")
    return found


@pytest.mark.parametrize("module", sorted(name for name in FILES if name.startswith("aegis.core")))
def test_the_core_touches_nothing_outside(module):
    assert not outside(sources()[module])


def test_what_is_outside_is_found():
    code = "import os.path\nfrom time import monotonic\ndef f():\n    import rclpy\n    return open('x'), p.open()\n"
    assert outside(ast.parse(code)) == [
        "os.path", "time.monotonic", "rclpy", "open() in line 5", ".open() in line 5",
    ]  # fmt: skip


# What some nodes need, or only with an extra. What every process loads, every process pays for: ASTERIX's formats take a second
# and 76 MB.
HEAVY = {
    "asterix", "fastapi", "google", "onnxruntime", "pyproj", "redis", "scipy", "sentry_sdk", "sqlalchemy", "torch", "uvicorn",
    "zenoh",
}  # fmt: skip


def test_a_node_and_the_supervisor_load_nothing_that_one_node_needs():
    code = (
        "import sys, aegis.graph.node, aegis.graph.supervisor; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "rclpy" in loaded
    assert HEAVY.isdisjoint(loaded), HEAVY & set(loaded)
