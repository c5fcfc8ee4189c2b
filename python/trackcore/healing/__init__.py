"""Bridging gaps: a lost track and a later one that the pixels say follow the same point."""

from trackcore.healing.heal import heal
from trackcore.healing.record import AnchorTrack, Healing, HealingAttempt, HealingStats

__all__ = ["AnchorTrack", "Healing", "HealingAttempt", "HealingStats", "heal"]
