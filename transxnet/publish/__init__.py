"""A checkpoint -> a Hub repository in timm's layout: convert, describe, verify, upload, verify again."""
