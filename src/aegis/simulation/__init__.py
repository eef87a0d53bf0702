"""A radar that looks at a scenario: at point level by the radar equation, or at signal level by its samples."""
