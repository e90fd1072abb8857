"""EA Elektro-Automatik PSB 10000, bi-directional DC supply: the battery's place."""
