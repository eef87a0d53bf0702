"""SAPIENT (BSI Flex 335 v2): this graph as a sensor of others, and others' detections in our picture."""
