"""Sync in five steps that may each be run again: tokens, hello, align, push, pull."""
