"""Does the charger keep the car's battery from harm: limits, stops, start sequence, blackouts, signals of the car."""
