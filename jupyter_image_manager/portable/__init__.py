"""Images between installations: archives with recipe and report, and the lock file of a project."""
