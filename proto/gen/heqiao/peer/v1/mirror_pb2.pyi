from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FetchPartitionRequest(_message.Message):
    __slots__ = ("suite", "epoch", "item", "origin", "version", "first_bucket", "query_id")
    SUITE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FIRST_BUCKET_FIELD_NUMBER: _ClassVar[int]
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    suite: str
    epoch: int
    item: str
    origin: str
    version: int
    first_bucket: int
    query_id: bytes
    def __init__(self, suite: _Optional[str] = ..., epoch: _Optional[int] = ..., item: _Optional[str] = ..., origin: _Optional[str] = ..., version: _Optional[int] = ..., first_bucket: _Optional[int] = ..., query_id: _Optional[bytes] = ...) -> None: ...

class FetchPartitionResponse(_message.Message):
    __slots__ = ("leaves", "sizes", "data")
    LEAVES_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    leaves: bytes
    sizes: _containers.RepeatedScalarFieldContainer[int]
    data: bytes
    def __init__(self, leaves: _Optional[bytes] = ..., sizes: _Optional[_Iterable[int]] = ..., data: _Optional[bytes] = ...) -> None: ...

class FetchDeltaRequest(_message.Message):
    __slots__ = ("suite", "epoch", "item", "origin", "from_version", "from_root", "to_version")
    SUITE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    FROM_ROOT_FIELD_NUMBER: _ClassVar[int]
    TO_VERSION_FIELD_NUMBER: _ClassVar[int]
    suite: str
    epoch: int
    item: str
    origin: str
    from_version: int
    from_root: bytes
    to_version: int
    def __init__(self, suite: _Optional[str] = ..., epoch: _Optional[int] = ..., item: _Optional[str] = ..., origin: _Optional[str] = ..., from_version: _Optional[int] = ..., from_root: _Optional[bytes] = ..., to_version: _Optional[int] = ...) -> None: ...

class BucketChange(_message.Message):
    __slots__ = ("bucket", "removed", "set")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    SET_FIELD_NUMBER: _ClassVar[int]
    bucket: int
    removed: bytes
    set: bytes
    def __init__(self, bucket: _Optional[int] = ..., removed: _Optional[bytes] = ..., set: _Optional[bytes] = ...) -> None: ...

class FetchDeltaResponse(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[BucketChange]
    def __init__(self, changes: _Optional[_Iterable[_Union[BucketChange, _Mapping]]] = ...) -> None: ...
