"""Cameras in, pictures out: capture, the frame bus, camera health and the security desk."""
