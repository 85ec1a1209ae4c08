"""What others connect to: the simulator's page in a browser."""
