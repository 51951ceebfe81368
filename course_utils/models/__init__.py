"""The models of the course, one file per idea. No loss, optimizer or device inside a model."""
