"""What is done about what was understood: actions run, payments confirmed, questions answered."""
