# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A keystore as SROS2 lays it out, made with the program `openssl`: authorities, a key for each process, what is signed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aegis.core.params import ConfigError
from aegis.graph.security.files import governance, permissions
from aegis.graph.security.policies import Enclave

CURVE = "prime256v1"
AUTHORITY = "sros2CA"  # the name that ROS's own tool gives it
VALID_DAYS = 3650
_TIMEOUT_S = 30.0


def make_keystore(folder: Path, enclaves: Sequence[Enclave], domain: int) -> list[str]:
    """Make a keystore, or add to one: what is there of keys stays, permissions are made anew. Return what was made.

    Args:
        folder: of the keystore.
        enclaves: of the processes.
        domain: the ROS domain in which they may work.

    Raises:
        ConfigError: there is no `openssl`, it fails, or the folder cannot be written.
    """
    if shutil.which("openssl") is None:
        raise ConfigError("security: the program openssl is not here: sudo apt install openssl")
    try:
        return _Keystore(folder).make(enclaves, domain)
    except OSError as error:
        raise ConfigError(f"security: {error.filename or folder} cannot be written: {error.strerror}") from error


class _Keystore:
    def __init__(self, folder: Path) -> None:
        self._private, self._public, self._enclaves = (folder / name for name in ("private", "public", "enclaves"))

    def make(self, enclaves: Sequence[Enclave], domain: int) -> list[str]:
        self._private.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in (self._public, self._enclaves):
            path.mkdir(exist_ok=True)
        made = []
        key, certificate = self._private / "ca.key.pem", self._public / "ca.cert.pem"
        if not (key.exists() and certificate.exists()):
            self._new_key(key)
            self._certify(certificate, key, AUTHORITY)
            made.append(str(certificate))
        for kind in ("identity_ca", "permissions_ca"):  # one authority for both, as ROS's own tool has it
            _link(self._private / f"{kind}.key.pem", "ca.key.pem")
            _link(self._public / f"{kind}.cert.pem", "ca.cert.pem")
        (self._enclaves / "governance.xml").write_bytes(governance())
        self._sign(self._enclaves / "governance.xml")
        for enclave in enclaves:
            made.append(str(self._make_enclave(enclave, domain)))
        return made

    def _make_enclave(self, enclave: Enclave, domain: int) -> Path:
        folder = self._enclaves / enclave.path.strip("/")
        folder.mkdir(parents=True, exist_ok=True)
        up = os.path.relpath(self._enclaves.parent, folder)
        for name in ("identity_ca.cert.pem", "permissions_ca.cert.pem"):
            _link(folder / name, f"{up}/public/{name}")
        _link(folder / "governance.p7s", f"{up}/enclaves/governance.p7s")
        key, certificate = folder / "key.pem", folder / "cert.pem"
        if not (key.exists() and certificate.exists()):
            self._new_key(key)
            self._certify(certificate, key, enclave.path, by_authority=True)
        begin = datetime.now(UTC) - timedelta(days=1)  # clocks differ
        content = permissions(enclave, domain, begin, begin + timedelta(days=VALID_DAYS))
        (folder / "permissions.xml").write_bytes(content)
        self._sign(folder / "permissions.xml")
        return folder

    def _new_key(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.chmod(0o600)
        _openssl("ecparam", "-name", CURVE, "-genkey", "-noout", "-out", path)

    def _certify(self, path: Path, key: Path, name: str, *, by_authority: bool = False) -> None:
        """Write the certificate of a key: its own, or by the authority."""
        with tempfile.NamedTemporaryFile("w", suffix=".cnf") as config:
            kind = "CA:FALSE" if by_authority else "CA:TRUE"
            config.write(
                f"[req]\nprompt=no\ndistinguished_name=dn\nx509_extensions=x\n[dn]\nCN={name}\n[x]\nbasicConstraints=critical,{kind}\n"
            )
            config.flush()
            words = [
                "req",
                "-new",
                "-x509",
                "-sha256",
                "-key",
                key,
                "-config",
                config.name,
                "-days",
                VALID_DAYS,
                "-out",
                path,
            ]
            if by_authority:
                words += ["-CA", self._public / "ca.cert.pem", "-CAkey", self._private / "ca.key.pem"]
            _openssl(*words)

    def _sign(self, path: Path) -> None:
        _openssl(
            "smime", "-sign", "-text", "-in", path, "-out", path.with_suffix(".p7s"),
            "-signer", self._public / "ca.cert.pem", "-inkey", self._private / "ca.key.pem",
        )  # fmt: skip


def _openssl(*words: object) -> None:
    command = ["openssl", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode:
        raise ConfigError(f"security: {' '.join(command)}: {done.stderr.strip()}")


def _link(path: Path, target: str) -> None:
    if not path.is_symlink():
        path.symlink_to(target)
