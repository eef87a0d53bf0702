# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What `ament_copyright` takes for the header of our files; it finds this by the entry point `ament_copyright.license`.

By itself it knows each licence by its words only, eleven lines a file, and not by the SPDX identifier, which says the same.
"""

from typing import NamedTuple


class License(NamedTuple):
    """The fields of `ament_copyright.licenses.LicenseEntryPoint`, which is there only where ROS's linters are."""

    name: str
    spdx: str
    file_headers: list[str]
    license_files: list[str]
    contributing_files: list[str]


APACHE_2 = License(
    name="Apache License, Version 2.0 (SPDX)",
    spdx="Apache-2.0",
    file_headers=["{copyright}\nSPDX-License-Identifier: Apache-2.0"],
    license_files=[],
    contributing_files=[],
)
