# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The files of DDS security: governance and permissions as DDS wants them, a policy as `ros2 security` wants it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from aegis.graph.security.policies import Enclave, NodePolicy

_SCHEMAS = "http://www.w3.org/2001/XMLSchema-instance"
_AT = "http://www.omg.org/spec/DDS-SECURITY/20170901/omg_shared_ca_{}.xsd"
HIGHEST_DOMAIN = 232


def governance() -> bytes:
    """Return the rules of every domain: nobody without a key, everything signed, all data and discovery encrypted."""
    rule = {
        "domains": {"id_range": {"min": "0", "max": str(HIGHEST_DOMAIN)}},
        "allow_unauthenticated_participants": "false",
        "enable_join_access_control": "true",
        "discovery_protection_kind": "ENCRYPT",
        "liveliness_protection_kind": "ENCRYPT",
        "rtps_protection_kind": "SIGN",
        "topic_access_rules": {
            "topic_rule": {
                "topic_expression": "*",
                "enable_discovery_protection": "true",
                "enable_liveliness_protection": "true",
                "enable_read_access_control": "true",
                "enable_write_access_control": "true",
                "metadata_protection_kind": "ENCRYPT",
                "data_protection_kind": "ENCRYPT",
            }
        },
    }
    root = _root("governance")
    _fill(root, {"domain_access_rules": {"domain_rule": rule}})
    return _bytes(root)


def permissions(enclave: Enclave, domain: int, begin: datetime, end: datetime) -> bytes:
    """Return what the owner of a key may do in a domain; all else is refused.

    Args:
        enclave: of the process.
        domain: the ROS domain.
        begin, end: of the time in which it holds, UTC.
    """
    root = _root("permissions")
    grant = SubElement(SubElement(root, "permissions"), "grant", name=enclave.path)
    _fill(
        grant,
        {
            "subject_name": f"CN={enclave.path}",
            "validity": {"not_before": f"{begin:%Y-%m-%dT%H:%M:%S}", "not_after": f"{end:%Y-%m-%dT%H:%M:%S}"},
        },
    )
    rule = SubElement(grant, "allow_rule")
    _fill(rule, {"domains": {"id": str(domain)}})
    for kind, names in zip(("publish", "subscribe"), enclave.topics(), strict=True):
        topics = SubElement(SubElement(rule, kind), "topics")
        for name in names:
            SubElement(topics, "topic").text = name
    SubElement(grant, "default").text = "DENY"
    return _bytes(root)


def policy(enclaves: Iterable[Enclave]) -> bytes:
    """Return the policy of all processes, for `ros2 security generate_artifacts -p`."""
    root = Element("policy", version="0.2.0")
    every = SubElement(root, "enclaves")
    for enclave in enclaves:
        profiles = SubElement(SubElement(every, "enclave", path=enclave.path), "profiles")
        for node in enclave.nodes:
            _profile(SubElement(profiles, "profile", ns=node.namespace, node=node.name), node)
    return _bytes(root)


def _profile(profile: Element, node: NodePolicy) -> None:
    for group, member, verb, names in (
        ("topics", "topic", "publish", node.publishes),
        ("topics", "topic", "subscribe", node.subscribes),
        ("services", "service", "reply", node.offers),
        ("services", "service", "request", node.calls),
    ):
        if names:
            found = SubElement(profile, group, {verb: "ALLOW"})
            for name in sorted(names):
                SubElement(found, member).text = name


def _root(kind: str) -> Element:
    return Element("dds", {"xmlns:xsi": _SCHEMAS, "xsi:noNamespaceSchemaLocation": _AT.format(kind)})


def _fill(parent: Element, content: dict[str, object]) -> None:
    for name, value in content.items():
        child = SubElement(parent, name)
        if isinstance(value, dict):
            _fill(child, value)
        else:
            child.text = str(value)


def _bytes(root: Element) -> bytes:
    indent(root)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"
