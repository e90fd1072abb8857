"""A charger commanded through ECHONET Lite: the class electric vehicle charger/discharger (0x027E) over UDP."""
