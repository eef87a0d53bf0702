# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reading recordings of ROS 2: MCAP and sqlite3 files, alone or in a folder, compressed or not, by what is in them.

`rosbags` reads them too, but by what their metadata say: it finds no message where metadata.yaml has another QoS than the file, or
where an MCAP's chunks have no message index, and nothing at all where one topic of many has a definition that it does not know.
"""
