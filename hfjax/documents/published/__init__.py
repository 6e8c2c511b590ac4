"""Published archives: download, unpack, and list what is in them."""
