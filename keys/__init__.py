"""Keys, certificates and the encrypted key store of a node (design.md section 6)."""
