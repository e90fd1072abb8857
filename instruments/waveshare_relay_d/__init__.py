"""Waveshare Modbus RTU Relay (D): eight relays and eight opto-isolated inputs on RS-485."""
