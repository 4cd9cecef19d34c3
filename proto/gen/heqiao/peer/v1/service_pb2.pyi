from heqiao.peer.v1 import aggregate_pb2 as _aggregate_pb2
from heqiao.peer.v1 import catalogue_pb2 as _catalogue_pb2
from heqiao.peer.v1 import match_pb2 as _match_pb2
from heqiao.peer.v1 import mirror_pb2 as _mirror_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
