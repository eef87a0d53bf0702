"""DDS security (SROS2) for the graph: who may publish, hear, offer and call what, made from the table of nodes; keys for it."""
