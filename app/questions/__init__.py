"""The saved questions of auditors, one file for what is answered in one way."""
