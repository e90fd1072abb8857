"""What a household asks of it over hours: limits of power at the meter, round trip, reserve."""
