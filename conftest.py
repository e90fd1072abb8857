"""The fixtures of the rig for whoever runs pytest at the top of the project."""

pytest_plugins = ["fixtures.plugin", "reports.show"]
