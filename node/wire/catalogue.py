"""Messages of a comparison of catalogues between peers; every byte of a peer is checked here."""

from collections.abc import Sequence
from typing import Final

from heqiao.peer.v1 import catalogue_pb2 as pb

from node.domain.catalogue_differences import MAX_DEFINITION
from node.wire.common import malformed, require
from node.wire.match import ITEM_CODE

MOST_DESCRIBED: Final = 32  # items in one call: 512 KiB at most


def request_message(items: Sequence[str]) -> pb.DescribeItemsRequest:
    """A request for the definitions of at most MOST_DESCRIBED items."""
    return pb.DescribeItemsRequest(items=items)


def parse_request(message: pb.DescribeItemsRequest) -> tuple[str, ...]:
    """The items asked. Raises InvalidRequestError."""
    items = tuple(message.items)
    require(0 < len(items) <= MOST_DESCRIBED, f"items must name 1 to {MOST_DESCRIBED} items")
    require(len(set(items)) == len(items), "an item is named twice")
    require(all(ITEM_CODE.fullmatch(code) for code in items), "an item is not a code")
    return items


def response_message(definitions: Sequence[bytes]) -> pb.DescribeItemsResponse:
    """The definitions, in the order asked."""
    return pb.DescribeItemsResponse(definitions=definitions)


def parse_response(message: pb.DescribeItemsResponse, items: Sequence[str]) -> tuple[bytes, ...]:
    """As many definitions as items; what they say is not looked at yet. Raises DishonestPeerError."""
    found = tuple(message.definitions)
    if len(found) != len(items) or any(len(one) > MAX_DEFINITION for one in found):
        raise malformed("the peer describes other items than were asked", "catalogue_form")
    return found
