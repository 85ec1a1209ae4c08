"""What happens by itself later: kept durably, and due exactly once, however late."""
