"""Never finishes its import."""

REFUSED = "its import was not done within"


while True:
    pass
