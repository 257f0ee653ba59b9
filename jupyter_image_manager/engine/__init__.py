"""The engine: the port, and its Docker implementation. Nothing outside this folder knows the docker SDK."""
