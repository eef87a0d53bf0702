"""The live stream: who listens to what, and the frames they get."""
