import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from heqiao.peer.v1 import aggregate_pb2 as _aggregate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlantedSubject(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: int
    def __init__(self, name: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...

class Partition(_message.Message):
    __slots__ = ("item", "origin", "epoch", "version", "entries", "bucket_bits", "root", "as_of", "planted", "date", "record_size")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    BUCKET_BITS_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    PLANTED_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    RECORD_SIZE_FIELD_NUMBER: _ClassVar[int]
    item: str
    origin: str
    epoch: int
    version: int
    entries: int
    bucket_bits: int
    root: bytes
    as_of: int
    planted: _containers.RepeatedCompositeFieldContainer[PlantedSubject]
    date: int
    record_size: int
    def __init__(self, item: _Optional[str] = ..., origin: _Optional[str] = ..., epoch: _Optional[int] = ..., version: _Optional[int] = ..., entries: _Optional[int] = ..., bucket_bits: _Optional[int] = ..., root: _Optional[bytes] = ..., as_of: _Optional[int] = ..., planted: _Optional[_Iterable[_Union[PlantedSubject, _Mapping]]] = ..., date: _Optional[int] = ..., record_size: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_message_bytes", "chunk_points", "max_points_per_query", "max_buckets_per_request")
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHUNK_POINTS_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_PER_QUERY_FIELD_NUMBER: _ClassVar[int]
    MAX_BUCKETS_PER_REQUEST_FIELD_NUMBER: _ClassVar[int]
    max_message_bytes: int
    chunk_points: int
    max_points_per_query: int
    max_buckets_per_request: int
    def __init__(self, max_message_bytes: _Optional[int] = ..., chunk_points: _Optional[int] = ..., max_points_per_query: _Optional[int] = ..., max_buckets_per_request: _Optional[int] = ...) -> None: ...

class ClassCanaries(_message.Message):
    __slots__ = ("token_class", "points")
    TOKEN_CLASS_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    token_class: str
    points: bytes
    def __init__(self, token_class: _Optional[str] = ..., points: _Optional[bytes] = ...) -> None: ...

class ItemDefinition(_message.Message):
    __slots__ = ("item", "digest")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    item: str
    digest: bytes
    def __init__(self, item: _Optional[str] = ..., digest: _Optional[bytes] = ...) -> None: ...

class Manifest(_message.Message):
    __slots__ = ("responder", "requester", "suites", "epoch", "salt_version", "salt_check", "catalogue_version", "catalogue_digest", "items", "partitions", "canaries", "limits", "issued_at", "expires_at", "sums", "definitions")
    RESPONDER_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    SUITES_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SALT_VERSION_FIELD_NUMBER: _ClassVar[int]
    SALT_CHECK_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    CANARIES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    SUMS_FIELD_NUMBER: _ClassVar[int]
    DEFINITIONS_FIELD_NUMBER: _ClassVar[int]
    responder: str
    requester: str
    suites: _containers.RepeatedScalarFieldContainer[str]
    epoch: int
    salt_version: int
    salt_check: bytes
    catalogue_version: str
    catalogue_digest: bytes
    items: _containers.RepeatedScalarFieldContainer[str]
    partitions: _containers.RepeatedCompositeFieldContainer[Partition]
    canaries: _containers.RepeatedCompositeFieldContainer[ClassCanaries]
    limits: Limits
    issued_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    sums: _aggregate_pb2.SumOffer
    definitions: _containers.RepeatedCompositeFieldContainer[ItemDefinition]
    def __init__(self, responder: _Optional[str] = ..., requester: _Optional[str] = ..., suites: _Optional[_Iterable[str]] = ..., epoch: _Optional[int] = ..., salt_version: _Optional[int] = ..., salt_check: _Optional[bytes] = ..., catalogue_version: _Optional[str] = ..., catalogue_digest: _Optional[bytes] = ..., items: _Optional[_Iterable[str]] = ..., partitions: _Optional[_Iterable[_Union[Partition, _Mapping]]] = ..., canaries: _Optional[_Iterable[_Union[ClassCanaries, _Mapping]]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sums: _Optional[_Union[_aggregate_pb2.SumOffer, _Mapping]] = ..., definitions: _Optional[_Iterable[_Union[ItemDefinition, _Mapping]]] = ...) -> None: ...

class Succession(_message.Message):
    __slots__ = ("code", "number", "old_key", "new_key", "issued_at", "expires_at", "by_old", "by_new")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    OLD_KEY_FIELD_NUMBER: _ClassVar[int]
    NEW_KEY_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    BY_OLD_FIELD_NUMBER: _ClassVar[int]
    BY_NEW_FIELD_NUMBER: _ClassVar[int]
    code: str
    number: int
    old_key: bytes
    new_key: bytes
    issued_at: int
    expires_at: int
    by_old: bytes
    by_new: bytes
    def __init__(self, code: _Optional[str] = ..., number: _Optional[int] = ..., old_key: _Optional[bytes] = ..., new_key: _Optional[bytes] = ..., issued_at: _Optional[int] = ..., expires_at: _Optional[int] = ..., by_old: _Optional[bytes] = ..., by_new: _Optional[bytes] = ...) -> None: ...

class SignedManifest(_message.Message):
    __slots__ = ("manifest", "signature")
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    manifest: bytes
    signature: bytes
    def __init__(self, manifest: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...
