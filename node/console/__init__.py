"""The console: pages for the people of a province, server-rendered; it asks the node and decides nothing."""
