from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SumOffer(_message.Message):
    __slots__ = ("epoch", "modulus", "proof", "canaries", "max_cohort_points", "groups")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    MODULUS_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    CANARIES_FIELD_NUMBER: _ClassVar[int]
    MAX_COHORT_POINTS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    modulus: bytes
    proof: bytes
    canaries: bytes
    max_cohort_points: int
    groups: _containers.RepeatedCompositeFieldContainer[SumGroup]
    def __init__(self, epoch: _Optional[int] = ..., modulus: _Optional[bytes] = ..., proof: _Optional[bytes] = ..., canaries: _Optional[bytes] = ..., max_cohort_points: _Optional[int] = ..., groups: _Optional[_Iterable[_Union[SumGroup, _Mapping]]] = ...) -> None: ...

class SumGroup(_message.Message):
    __slots__ = ("item", "prefix", "version", "rows", "digest", "as_of_from", "as_of_to")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FROM_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TO_FIELD_NUMBER: _ClassVar[int]
    item: str
    prefix: str
    version: int
    rows: int
    digest: bytes
    as_of_from: int
    as_of_to: int
    def __init__(self, item: _Optional[str] = ..., prefix: _Optional[str] = ..., version: _Optional[int] = ..., rows: _Optional[int] = ..., digest: _Optional[bytes] = ..., as_of_from: _Optional[int] = ..., as_of_to: _Optional[int] = ...) -> None: ...

class EvaluateCohortRequest(_message.Message):
    __slots__ = ("start", "chunk")
    START_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    start: CohortStart
    chunk: CohortChunk
    def __init__(self, start: _Optional[_Union[CohortStart, _Mapping]] = ..., chunk: _Optional[_Union[CohortChunk, _Mapping]] = ...) -> None: ...

class CohortStart(_message.Message):
    __slots__ = ("suite", "epoch", "salt_version", "manifest_digest", "query_id", "points_announced", "items", "purpose", "legal_basis", "blind_commitment", "mandate_root")
    SUITE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SALT_VERSION_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_ANNOUNCED_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    BLIND_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    MANDATE_ROOT_FIELD_NUMBER: _ClassVar[int]
    suite: str
    epoch: int
    salt_version: int
    manifest_digest: bytes
    query_id: bytes
    points_announced: int
    items: _containers.RepeatedScalarFieldContainer[str]
    purpose: str
    legal_basis: str
    blind_commitment: bytes
    mandate_root: bytes
    def __init__(self, suite: _Optional[str] = ..., epoch: _Optional[int] = ..., salt_version: _Optional[int] = ..., manifest_digest: _Optional[bytes] = ..., query_id: _Optional[bytes] = ..., points_announced: _Optional[int] = ..., items: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., legal_basis: _Optional[str] = ..., blind_commitment: _Optional[bytes] = ..., mandate_root: _Optional[bytes] = ...) -> None: ...

class CohortChunk(_message.Message):
    __slots__ = ("sequence", "points")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    points: bytes
    def __init__(self, sequence: _Optional[int] = ..., points: _Optional[bytes] = ...) -> None: ...

class EvaluateCohortResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: CohortChunk
    def __init__(self, chunk: _Optional[_Union[CohortChunk, _Mapping]] = ...) -> None: ...

class FetchRowsRequest(_message.Message):
    __slots__ = ("suite", "epoch", "query_id", "item", "prefix", "version", "first_row")
    SUITE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FIRST_ROW_FIELD_NUMBER: _ClassVar[int]
    suite: str
    epoch: int
    query_id: bytes
    item: str
    prefix: str
    version: int
    first_row: int
    def __init__(self, suite: _Optional[str] = ..., epoch: _Optional[int] = ..., query_id: _Optional[bytes] = ..., item: _Optional[str] = ..., prefix: _Optional[str] = ..., version: _Optional[int] = ..., first_row: _Optional[int] = ...) -> None: ...

class FetchRowsResponse(_message.Message):
    __slots__ = ("first_row", "points", "ciphertexts")
    FIRST_ROW_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    CIPHERTEXTS_FIELD_NUMBER: _ClassVar[int]
    first_row: int
    points: bytes
    ciphertexts: bytes
    def __init__(self, first_row: _Optional[int] = ..., points: _Optional[bytes] = ..., ciphertexts: _Optional[bytes] = ...) -> None: ...

class OpenSumsRequest(_message.Message):
    __slots__ = ("suite", "epoch", "query_id", "sums")
    SUITE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    SUMS_FIELD_NUMBER: _ClassVar[int]
    suite: str
    epoch: int
    query_id: bytes
    sums: _containers.RepeatedCompositeFieldContainer[SumCiphertext]
    def __init__(self, suite: _Optional[str] = ..., epoch: _Optional[int] = ..., query_id: _Optional[bytes] = ..., sums: _Optional[_Iterable[_Union[SumCiphertext, _Mapping]]] = ...) -> None: ...

class SumCiphertext(_message.Message):
    __slots__ = ("item", "ciphertext")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    CIPHERTEXT_FIELD_NUMBER: _ClassVar[int]
    item: str
    ciphertext: bytes
    def __init__(self, item: _Optional[str] = ..., ciphertext: _Optional[bytes] = ...) -> None: ...

class OpenSumsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SumResult]
    def __init__(self, results: _Optional[_Iterable[_Union[SumResult, _Mapping]]] = ...) -> None: ...

class SumResult(_message.Message):
    __slots__ = ("item", "released", "suppressed")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    item: str
    released: ReleasedSum
    suppressed: SuppressedSum
    def __init__(self, item: _Optional[str] = ..., released: _Optional[_Union[ReleasedSum, _Mapping]] = ..., suppressed: _Optional[_Union[SuppressedSum, _Mapping]] = ...) -> None: ...

class ReleasedSum(_message.Message):
    __slots__ = ("mode", "count", "total", "variance", "bands", "epsilon_millionths")
    MODE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    VARIANCE_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    EPSILON_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    mode: str
    count: int
    total: bytes
    variance: bytes
    bands: _containers.RepeatedCompositeFieldContainer[BandCell]
    epsilon_millionths: int
    def __init__(self, mode: _Optional[str] = ..., count: _Optional[int] = ..., total: _Optional[bytes] = ..., variance: _Optional[bytes] = ..., bands: _Optional[_Iterable[_Union[BandCell, _Mapping]]] = ..., epsilon_millionths: _Optional[int] = ...) -> None: ...

class BandCell(_message.Message):
    __slots__ = ("suppressed", "count")
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    suppressed: bool
    count: int
    def __init__(self, suppressed: _Optional[bool] = ..., count: _Optional[int] = ...) -> None: ...

class SuppressedSum(_message.Message):
    __slots__ = ("rule",)
    RULE_FIELD_NUMBER: _ClassVar[int]
    rule: str
    def __init__(self, rule: _Optional[str] = ...) -> None: ...
