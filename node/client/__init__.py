"""Clients of a node. `Platform` needs the base dependencies only, `peer.Peer` the extra `node`."""

from node.client.platform import Platform

__all__ = ["Platform"]
