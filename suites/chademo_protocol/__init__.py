"""Every promise of the CHAdeMO sequence, one case each: logic, timing, stops, versions, discharge, blackouts."""
