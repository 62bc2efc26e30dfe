"""Domain generalisation: several labelled sources, a target that nobody sees; one method, one file."""
