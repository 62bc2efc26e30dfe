"""Training: preparation, folds, selection."""
