"""How the admin writes times: to the second, by which calls are billed, and told apart."""

DATETIME_FORMAT = "j M Y, H:i:s"
