"""Records of sessions: what they hold, how they are written, kept and found again."""
