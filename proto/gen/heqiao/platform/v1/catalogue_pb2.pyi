from heqiao.platform.v1 import platform_pb2 as _platform_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ComparisonState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPARISON_STATE_UNSPECIFIED: _ClassVar[ComparisonState]
    COMPARISON_STATE_SAME: _ClassVar[ComparisonState]
    COMPARISON_STATE_DIFFERS: _ClassVar[ComparisonState]
    COMPARISON_STATE_OTHER_MAJOR: _ClassVar[ComparisonState]
    COMPARISON_STATE_UNAVAILABLE: _ClassVar[ComparisonState]

class DifferenceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIFFERENCE_KIND_UNSPECIFIED: _ClassVar[DifferenceKind]
    DIFFERENCE_KIND_CONFLICT: _ClassVar[DifferenceKind]
    DIFFERENCE_KIND_ONLY_HERE: _ClassVar[DifferenceKind]
    DIFFERENCE_KIND_ONLY_THERE: _ClassVar[DifferenceKind]
COMPARISON_STATE_UNSPECIFIED: ComparisonState
COMPARISON_STATE_SAME: ComparisonState
COMPARISON_STATE_DIFFERS: ComparisonState
COMPARISON_STATE_OTHER_MAJOR: ComparisonState
COMPARISON_STATE_UNAVAILABLE: ComparisonState
DIFFERENCE_KIND_UNSPECIFIED: DifferenceKind
DIFFERENCE_KIND_CONFLICT: DifferenceKind
DIFFERENCE_KIND_ONLY_HERE: DifferenceKind
DIFFERENCE_KIND_ONLY_THERE: DifferenceKind

class DescribeCatalogueRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeCatalogueResponse(_message.Message):
    __slots__ = ("version", "digest", "title_zh", "title_en", "issuer_zh", "issuer_en", "valid_from", "is_signed", "items", "tables")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    ISSUER_ZH_FIELD_NUMBER: _ClassVar[int]
    ISSUER_EN_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    IS_SIGNED_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    version: str
    digest: bytes
    title_zh: str
    title_en: str
    issuer_zh: str
    issuer_en: str
    valid_from: int
    is_signed: bool
    items: _containers.RepeatedCompositeFieldContainer[_platform_pb2.CatalogueItem]
    tables: _containers.RepeatedCompositeFieldContainer[CatalogueTable]
    def __init__(self, version: _Optional[str] = ..., digest: _Optional[bytes] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ..., issuer_zh: _Optional[str] = ..., issuer_en: _Optional[str] = ..., valid_from: _Optional[int] = ..., is_signed: _Optional[bool] = ..., items: _Optional[_Iterable[_Union[_platform_pb2.CatalogueItem, _Mapping]]] = ..., tables: _Optional[_Iterable[_Union[CatalogueTable, _Mapping]]] = ...) -> None: ...

class CatalogueTable(_message.Message):
    __slots__ = ("code", "kind", "issuer_zh", "issuer_en", "valid_from", "valid_to", "bounds", "codes")
    CODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ISSUER_ZH_FIELD_NUMBER: _ClassVar[int]
    ISSUER_EN_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    code: str
    kind: str
    issuer_zh: str
    issuer_en: str
    valid_from: int
    valid_to: int
    bounds: _containers.RepeatedScalarFieldContainer[int]
    codes: _containers.RepeatedCompositeFieldContainer[_platform_pb2.CatalogueCode]
    def __init__(self, code: _Optional[str] = ..., kind: _Optional[str] = ..., issuer_zh: _Optional[str] = ..., issuer_en: _Optional[str] = ..., valid_from: _Optional[int] = ..., valid_to: _Optional[int] = ..., bounds: _Optional[_Iterable[int]] = ..., codes: _Optional[_Iterable[_Union[_platform_pb2.CatalogueCode, _Mapping]]] = ...) -> None: ...

class ListDifferencesRequest(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peers: _Optional[_Iterable[str]] = ...) -> None: ...

class ListDifferencesResponse(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[PeerDifferences]
    def __init__(self, peers: _Optional[_Iterable[_Union[PeerDifferences, _Mapping]]] = ...) -> None: ...

class PeerDifferences(_message.Message):
    __slots__ = ("peer", "state", "version", "items", "reason", "is_same_document")
    PEER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IS_SAME_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    peer: str
    state: ComparisonState
    version: str
    items: _containers.RepeatedCompositeFieldContainer[ItemDifference]
    reason: str
    is_same_document: bool
    def __init__(self, peer: _Optional[str] = ..., state: _Optional[_Union[ComparisonState, str]] = ..., version: _Optional[str] = ..., items: _Optional[_Iterable[_Union[ItemDifference, _Mapping]]] = ..., reason: _Optional[str] = ..., is_same_document: _Optional[bool] = ...) -> None: ...

class ItemDifference(_message.Message):
    __slots__ = ("item", "kind", "attributes")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    item: str
    kind: DifferenceKind
    attributes: _containers.RepeatedCompositeFieldContainer[AttributeDifference]
    def __init__(self, item: _Optional[str] = ..., kind: _Optional[_Union[DifferenceKind, str]] = ..., attributes: _Optional[_Iterable[_Union[AttributeDifference, _Mapping]]] = ...) -> None: ...

class AttributeDifference(_message.Message):
    __slots__ = ("attribute", "here", "there")
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    HERE_FIELD_NUMBER: _ClassVar[int]
    THERE_FIELD_NUMBER: _ClassVar[int]
    attribute: str
    here: str
    there: str
    def __init__(self, attribute: _Optional[str] = ..., here: _Optional[str] = ..., there: _Optional[str] = ...) -> None: ...

class ListCodesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListCodesResponse(_message.Message):
    __slots__ = ("legal_bases", "matters")
    LEGAL_BASES_FIELD_NUMBER: _ClassVar[int]
    MATTERS_FIELD_NUMBER: _ClassVar[int]
    legal_bases: _containers.RepeatedCompositeFieldContainer[LegalBasis]
    matters: _containers.RepeatedCompositeFieldContainer[Matter]
    def __init__(self, legal_bases: _Optional[_Iterable[_Union[LegalBasis, _Mapping]]] = ..., matters: _Optional[_Iterable[_Union[Matter, _Mapping]]] = ...) -> None: ...

class LegalBasis(_message.Message):
    __slots__ = ("code", "name_zh", "name_en", "about_zh", "about_en", "is_for_people", "valid_from", "valid_to", "is_own")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    NAME_EN_FIELD_NUMBER: _ClassVar[int]
    ABOUT_ZH_FIELD_NUMBER: _ClassVar[int]
    ABOUT_EN_FIELD_NUMBER: _ClassVar[int]
    IS_FOR_PEOPLE_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    IS_OWN_FIELD_NUMBER: _ClassVar[int]
    code: str
    name_zh: str
    name_en: str
    about_zh: str
    about_en: str
    is_for_people: bool
    valid_from: str
    valid_to: str
    is_own: bool
    def __init__(self, code: _Optional[str] = ..., name_zh: _Optional[str] = ..., name_en: _Optional[str] = ..., about_zh: _Optional[str] = ..., about_en: _Optional[str] = ..., is_for_people: _Optional[bool] = ..., valid_from: _Optional[str] = ..., valid_to: _Optional[str] = ..., is_own: _Optional[bool] = ...) -> None: ...

class Matter(_message.Message):
    __slots__ = ("code", "name_zh", "name_en", "is_own")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    NAME_EN_FIELD_NUMBER: _ClassVar[int]
    IS_OWN_FIELD_NUMBER: _ClassVar[int]
    code: str
    name_zh: str
    name_en: str
    is_own: bool
    def __init__(self, code: _Optional[str] = ..., name_zh: _Optional[str] = ..., name_en: _Optional[str] = ..., is_own: _Optional[bool] = ...) -> None: ...
