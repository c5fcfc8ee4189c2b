"""Pictures of pitches: strike zone, trajectory, detections; the report of a session."""
