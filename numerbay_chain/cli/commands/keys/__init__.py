"""Commands about key files and the seller secret."""
