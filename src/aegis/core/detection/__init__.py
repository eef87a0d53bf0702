"""From radar points to classified detections."""
