"""Waiting in virtual time."""

import asyncio


async def until(condition, seconds=60):
    """Wait until a condition holds, and fail when it does not in so many seconds of the loop's."""
    for _ in range(seconds * 20):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"it did not come within {seconds} s")
