"""What an operator sees: log lines and metrics, with nothing private in them."""
