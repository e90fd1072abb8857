"""Our own line protocol for boxes that laboratories build themselves: frames, sessions, the box's side, a server."""
