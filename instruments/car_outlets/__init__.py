"""A plug-in hybrid with household outlets built in: no CHAdeMO, a switch on the dash, an engine that starts itself."""
