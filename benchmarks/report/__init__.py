"""From a run's results to the page that people read: tables and plots."""
