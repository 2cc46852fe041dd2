"""The installed command, run as users and scripts run it."""
