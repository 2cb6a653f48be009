"""The sample network; README.md beside it says where it comes from and under which licence."""

from pathlib import Path

FILE = Path(__file__).with_name("oberrhein_schutterwald.json")
