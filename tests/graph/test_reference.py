# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pages that are made from the code are what the code makes."""

from pathlib import Path

import pytest

from aegis.graph import event_reference
from aegis.graph.nodes import ALL_NODES
from aegis.graph.reference import as_markdown, sections
from aegis.ros.topics import TOPICS

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text()
GRAPH = (REPOSITORY / "docs" / "graph.md").read_text()


def test_the_page_of_parameters_is_current():
    made = as_markdown(sections(ALL_NODES))
    assert (REPOSITORY / "config" / "README.md").read_text() == made, "run: aegis params --markdown > config/README.md"


def test_the_page_of_events_is_current():
    made = event_reference.as_markdown()
    assert (REPOSITORY / "docs" / "events.md").read_text() == made, "run: aegis events --markdown > docs/events.md"


@pytest.mark.parametrize("topic", TOPICS.values(), ids=list(TOPICS))
def test_the_page_of_the_graph_names_every_topic_with_its_type_and_qos(topic):
    qos = f"{'reliable' if topic.reliable else 'best effort'}, {topic.depth}" + (", latched" if topic.latched else "")
    package, _, name = topic.type.split("/")
    assert f"| `{topic.name}` | {package}/{name} | {qos} |" in GRAPH


@pytest.mark.parametrize("node", ALL_NODES.values(), ids=list(ALL_NODES))
def test_the_page_of_the_graph_names_every_node_with_its_purpose(node):
    assert f"| `{node.name}` | {node.purpose} |" in GRAPH


def test_ci_runs_the_command_of_the_readme():
    command = next(
        line.strip() for line in README.splitlines() if line.strip().startswith("python3 -m venv") and "pytest" in line
    )
    assert command in (REPOSITORY / ".ci" / "run").read_text()
