"""trackcore: sub-pixel point tracking, numpy in, numpy out."""
