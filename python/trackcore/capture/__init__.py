"""Cameras in, pitches out: sources, rings, the host that keeps up with them, and replay."""
