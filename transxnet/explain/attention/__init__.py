"""OSRA's attention: maps and tables of one block, statistics over depth, and rollout to pixels."""
