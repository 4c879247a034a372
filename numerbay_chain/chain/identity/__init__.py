"""Which contract it is: where it is, how it came to be, and how it is deployed.

Most code needs `location.locate`; before anything is signed, `checked.require_shipped` looks at how it was created.
"""
