# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What follows `--ros-args`, read as ROS reads it."""

from pathlib import Path

import pytest

from aegis.core.params import ConfigError
from aegis.graph.ros_args import RosArguments, Rule, split_ros_args


@pytest.mark.parametrize(("words", "own", "ros"), [
    ("a --b", "a --b", ""),
    ("a --ros-args -p x:=1", "a", "-p x:=1"),
    ("a --ros-args -p x:=1 -- b", "a b", "-p x:=1"),
    ("--ros-args -r c:=d -- a --ros-args -p x:=1", "a", "-r c:=d -p x:=1"),
    ("a -- b", "a -- b", ""),
])  # fmt: skip
def test_words_are_taken_apart(words, own, ros):
    assert split_ros_args(words.split()) == (own.split(), ros.split())


def test_all_that_ros_takes_is_taken():
    words = [
        "-p", "a.b:=1.5", "--params-file", "f.yaml", "-p", "node:c:=[1, 2]", "-r", "x:=y", "--log-level", "warn",
        "--log-level", "rcl:=debug", "--disable-rosout-logs", "--enable-stdout-logs", "-e", "/enclave",
    ]  # fmt: skip
    ros = RosArguments.parse(words)
    assert ros.words() == [
        "--ros-args", "--param", "a.b:=1.5", "--params-file", "f.yaml", "--param", "node:c:=[1, 2]", "--remap", "x:=y",
        "--log-level", "warn", "--log-level", "rcl:=debug", "--disable-rosout-logs", "--enable-stdout-logs",
        "--enclave", "/enclave",
    ]  # fmt: skip
    assert ros.parameters() == [Rule("", "a.b", "1.5"), Path("f.yaml"), Rule("node", "c", "[1, 2]")]
    assert ros.parameters()[2].parameter() == {"c": [1, 2]}
    assert ros.log_level == "warn"
    assert RosArguments.parse([]).words() == []


@pytest.mark.parametrize(("words", "node", "name", "namespace"), [
    ("", "tracking", "tracking", "front"),
    ("-r __node:=left", "tracking", "left", "front"),
    ("-r __name:=left", "tracking", "left", "front"),
    ("-r tracking:__node:=left", "tracking", "left", "front"),
    ("-r tracking:__node:=left", "threat", "threat", "front"),
    ("-r __ns:=/rig/a", "tracking", "tracking", "rig/a"),
    ("-r threat:__ns:=/rig", "tracking", "tracking", "front"),
    ("-r __ns:=/one -r __ns:=/two", "tracking", "tracking", "one"),  # in ROS the first rule that matches holds
])  # fmt: skip
def test_names_and_namespaces(words, node, name, namespace):
    ros = RosArguments.parse(words.split())
    assert (ros.node_name(node), ros.namespace(node, "front")) == (name, namespace)


@pytest.mark.parametrize(("words", "match"), [
    (["-x"], "no option '-x'"),
    (["-p"], "-p needs a value"),
    (["-p", "x=1"], r"-p x=1: \[NODE:\]NAME:=VALUE is expected"),
    (["-p", ":=1"], "is expected"),
])  # fmt: skip
def test_what_ros_does_not_take_is_refused(words, match):
    with pytest.raises(ConfigError, match=match):
        RosArguments.parse(words)
