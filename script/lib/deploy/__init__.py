"""Deploying to one host. Standard library alone: it runs on the host's own Python, where nothing of Hopps is installed."""
