"""Publish a checkpoint as a Hub repository in timm's layout: convert, describe, verify, upload, verify again."""
