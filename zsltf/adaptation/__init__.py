"""Unsupervised domain adaptation: a labelled source, an unlabelled target; one method, one file."""
