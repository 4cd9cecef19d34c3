from heqiao.peer.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetManifestRequest(_message.Message):
    __slots__ = ("suites", "with_sums", "salt_versions", "epoch")
    SUITES_FIELD_NUMBER: _ClassVar[int]
    WITH_SUMS_FIELD_NUMBER: _ClassVar[int]
    SALT_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    suites: _containers.RepeatedScalarFieldContainer[str]
    with_sums: bool
    salt_versions: _containers.RepeatedScalarFieldContainer[int]
    epoch: int
    def __init__(self, suites: _Optional[_Iterable[str]] = ..., with_sums: _Optional[bool] = ..., salt_versions: _Optional[_Iterable[int]] = ..., epoch: _Optional[int] = ...) -> None: ...

class GetManifestResponse(_message.Message):
    __slots__ = ("signed_manifest", "successions")
    SIGNED_MANIFEST_FIELD_NUMBER: _ClassVar[int]
    SUCCESSIONS_FIELD_NUMBER: _ClassVar[int]
    signed_manifest: _types_pb2.SignedManifest
    successions: _containers.RepeatedCompositeFieldContainer[_types_pb2.Succession]
    def __init__(self, signed_manifest: _Optional[_Union[_types_pb2.SignedManifest, _Mapping]] = ..., successions: _Optional[_Iterable[_Union[_types_pb2.Succession, _Mapping]]] = ...) -> None: ...

class EvaluateRequest(_message.Message):
    __slots__ = ("start", "chunk")
    START_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    start: EvaluateStart
    chunk: EvaluateChunk
    def __init__(self, start: _Optional[_Union[EvaluateStart, _Mapping]] = ..., chunk: _Optional[_Union[EvaluateChunk, _Mapping]] = ...) -> None: ...

class EvaluateStart(_message.Message):
    __slots__ = ("suite", "epoch", "salt_version", "manifest_digest", "query_id", "points_announced", "first_point", "items", "purpose", "legal_basis", "mandate_root", "token_class", "tokens_until")
    SUITE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SALT_VERSION_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_ANNOUNCED_FIELD_NUMBER: _ClassVar[int]
    FIRST_POINT_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    MANDATE_ROOT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_CLASS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_UNTIL_FIELD_NUMBER: _ClassVar[int]
    suite: str
    epoch: int
    salt_version: int
    manifest_digest: bytes
    query_id: bytes
    points_announced: int
    first_point: int
    items: _containers.RepeatedScalarFieldContainer[str]
    purpose: str
    legal_basis: str
    mandate_root: bytes
    token_class: str
    tokens_until: int
    def __init__(self, suite: _Optional[str] = ..., epoch: _Optional[int] = ..., salt_version: _Optional[int] = ..., manifest_digest: _Optional[bytes] = ..., query_id: _Optional[bytes] = ..., points_announced: _Optional[int] = ..., first_point: _Optional[int] = ..., items: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., legal_basis: _Optional[str] = ..., mandate_root: _Optional[bytes] = ..., token_class: _Optional[str] = ..., tokens_until: _Optional[int] = ...) -> None: ...

class EvaluateChunk(_message.Message):
    __slots__ = ("sequence", "points")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    points: bytes
    def __init__(self, sequence: _Optional[int] = ..., points: _Optional[bytes] = ...) -> None: ...

class EvaluateResponse(_message.Message):
    __slots__ = ("chunk", "done")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    chunk: EvaluatedChunk
    done: EvaluateDone
    def __init__(self, chunk: _Optional[_Union[EvaluatedChunk, _Mapping]] = ..., done: _Optional[_Union[EvaluateDone, _Mapping]] = ...) -> None: ...

class EvaluatedChunk(_message.Message):
    __slots__ = ("sequence", "points")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    points: bytes
    def __init__(self, sequence: _Optional[int] = ..., points: _Optional[bytes] = ...) -> None: ...

class EvaluateDone(_message.Message):
    __slots__ = ("transcript", "points_root")
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    POINTS_ROOT_FIELD_NUMBER: _ClassVar[int]
    transcript: bytes
    points_root: bytes
    def __init__(self, transcript: _Optional[bytes] = ..., points_root: _Optional[bytes] = ...) -> None: ...

class FetchBucketsRequest(_message.Message):
    __slots__ = ("suite", "epoch", "query_id", "item", "origin", "version", "buckets", "several")
    SUITE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    SEVERAL_FIELD_NUMBER: _ClassVar[int]
    suite: str
    epoch: int
    query_id: bytes
    item: str
    origin: str
    version: int
    buckets: _containers.RepeatedScalarFieldContainer[int]
    several: bool
    def __init__(self, suite: _Optional[str] = ..., epoch: _Optional[int] = ..., query_id: _Optional[bytes] = ..., item: _Optional[str] = ..., origin: _Optional[str] = ..., version: _Optional[int] = ..., buckets: _Optional[_Iterable[int]] = ..., several: _Optional[bool] = ...) -> None: ...

class WholeBucket(_message.Message):
    __slots__ = ("bucket", "data", "path")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    bucket: int
    data: bytes
    path: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, bucket: _Optional[int] = ..., data: _Optional[bytes] = ..., path: _Optional[_Iterable[bytes]] = ...) -> None: ...

class FetchBucketsResponse(_message.Message):
    __slots__ = ("bucket", "size", "offset", "data", "path", "more")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    bucket: int
    size: int
    offset: int
    data: bytes
    path: _containers.RepeatedScalarFieldContainer[bytes]
    more: _containers.RepeatedCompositeFieldContainer[WholeBucket]
    def __init__(self, bucket: _Optional[int] = ..., size: _Optional[int] = ..., offset: _Optional[int] = ..., data: _Optional[bytes] = ..., path: _Optional[_Iterable[bytes]] = ..., more: _Optional[_Iterable[_Union[WholeBucket, _Mapping]]] = ...) -> None: ...
