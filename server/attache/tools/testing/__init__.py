"""Tests: find, run, measure, begin, bisect."""
